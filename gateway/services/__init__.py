"""Services that are not ours: their documents become operations like our own, and share calls with canaries and shadows."""
