"""`python -m trivium` is the command `trivium`."""

from trivium.cli import app

app()
