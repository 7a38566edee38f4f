"""`[decisions]`: how long the door can say why it decided as it did."""

from kernel.sections.base import Section


class Decisions(Section):
    """The decision log."""
