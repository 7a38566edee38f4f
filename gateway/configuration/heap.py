"""A configuration is very many objects that stay: while it is built nobody looks for garbage among them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def growing() -> Iterator[None]:
    """No collection of garbage within: each would look at everything that was built so far, and find nothing.

    What was built counts as old afterwards, so that the next collection is not spent on it either.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.unfreeze()  # into the oldest generation
            gc.enable()
