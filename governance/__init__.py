"""The machinery of promises: contracts drafted, compared and checked."""
