"""The door: every call is routed, identified, allowed, counted and checked here, from the contracts alone."""
