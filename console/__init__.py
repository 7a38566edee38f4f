"""The web pages: the catalog, rendered here, at home in any browser, with nothing from elsewhere."""
