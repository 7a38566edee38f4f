"""`[shedding]`: when this process takes fewer calls than are asked of it."""

from kernel.sections.base import Section


class Shedding(Section):
    """Queue-delay based."""
