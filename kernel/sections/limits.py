"""`[limits]` and `[plans]`: what a caller may use where its contract, plan or client does not say more."""

from kernel.sections.base import Section


class Limits(Section):
    """What holds for the whole estate."""
