"""`[audit]`: what is kept for whoever has to know later who did what."""

from kernel.sections.base import Section


class Audit(Section):
    """The hash-chained log."""
