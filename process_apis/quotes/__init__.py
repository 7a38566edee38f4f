"""Quotes: decisions about them, answered while a person waits."""
