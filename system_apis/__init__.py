"""One vendor, one folder; one domain, one API."""
