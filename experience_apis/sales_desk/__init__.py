"""The sales desk: one customer, its quotes, its orders."""
