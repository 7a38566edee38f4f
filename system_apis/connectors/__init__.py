"""One package per vendor: `client` speaks its wire, `mapping` turns its words into ours, `connector` offers the ports."""
