"""`[door]`: what holds for every answer and every request whatever its operation: CORS, response checks, header limits."""

from kernel.sections.base import Section


class Door(Section):
    """The door's own settings."""
