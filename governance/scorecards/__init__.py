"""How good an API is, as numbers with their reasons, and whether it gets better."""
