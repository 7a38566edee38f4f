"""The parts of the settings, one file per concern; `kernel/settings.py` puts them together."""
