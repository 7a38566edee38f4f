"""How an exchange with an upstream can fail; what matters is whether the upstream may have seen the request."""


class Failure(Exception):
    """`sent`: a byte of the request may have arrived."""

    sent = True


class Unreachable(Failure):
    """No connection was to be had: nothing was sent."""

    sent = False


class Full(Unreachable):
    """Every connection is taken, and enough others wait for one already."""


class BrokenOff(Failure):
    """The connection ended before the answer did."""


class CallerLeft(Failure):
    """The caller did not wait for the end."""


class Garbled(Failure):
    """What came back is not HTTP as RFC 9112 has it, or more than anybody should send as a head."""


class LeaseEnded(Failure):
    """It may not go on: the token it was opened with is no longer good."""
