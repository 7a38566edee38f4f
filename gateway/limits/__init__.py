"""Limits: what is granted to whom (`grants`), and the counting of it, in this process or on a Redis that processes share."""
