"""Measurements whose results are ratios within one run: `python -m benchmarks [a] [b] [c] [d]`."""
