"""Actual use: which client was seen with which operation, version and top-level field, in how many calls; never a value."""
