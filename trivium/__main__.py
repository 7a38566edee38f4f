"""`python -m trivium` is the command `trivium`. Nothing that is imported is garbage: to look for some meanwhile costs an eighth
of the start.
"""

import gc

gc.disable()

from trivium.cli import app  # noqa: E402

gc.enable()
gc.freeze()  # what was imported stays; no later collection need look at it
app()
