"""`[[services]]`, `[[canaries]]`, `[[mirrors]]`: upstreams beside our own layers, and where a share of the calls goes."""

from kernel.sections.base import Section


class Service(Section):
    """A service that is not ours, governed by its OpenAPI document."""


class Canary(Section):
    """A share of a client's calls, or named clients, go to another upstream or version."""


class Mirror(Section):
    """Calls are repeated to a shadow upstream, and the answers compared."""
