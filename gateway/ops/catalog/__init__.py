"""The catalog of APIs over the gateway's own API."""
