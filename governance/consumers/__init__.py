"""Who relies on what: what applications declare that they use, and whom a change would break."""
