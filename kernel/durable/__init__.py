"""Durable runs behind a port: `port.py` is what processes use, the other files are the engine."""
