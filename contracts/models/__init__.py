"""Frozen objects with canonical names; no vendor's word appears in them."""
