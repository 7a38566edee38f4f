"""Lint: rules over contracts, their severities by layer and audience, suppressions that say why and end, and reports."""
