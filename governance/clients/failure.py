"""Why a client cannot be made."""


class NoClient(ValueError):
    """A client cannot be generated; the message says what is missing or what of the contract it cannot carry."""
