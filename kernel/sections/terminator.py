"""`[terminator]`: who ends TLS before us, and how it tells which certificate the caller showed."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.networks import IPvAnyNetwork

from kernel.sections.base import Section


class Terminator(Section):
    """Without addresses nobody is believed about certificates, and no client can prove itself by one."""

    addresses: list[IPvAnyNetwork] = []
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "Client-Cert"
    format: Literal["rfc9440", "xfcc", "pem"] = "rfc9440"
    verifies_chain: bool = False
