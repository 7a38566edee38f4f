"""Attacks go through the whole door, so they build it as the gateway's own tests do."""

from tests.gateway.conftest import asking, build, clock, contract, house, operation, raw, served
from tests.gateway.upstreams.conftest import raw_upstream

__all__ = ["asking", "build", "clock", "contract", "house", "operation", "raw", "raw_upstream", "served"]
