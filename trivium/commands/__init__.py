"""One file per group of commands; each has its own Typer application, which `trivium/cli.py` mounts."""
