"""What travels with a piece of work without being passed: whose it is, and under which id it can be followed."""

from contextvars import ContextVar

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
caller: ContextVar[str] = ContextVar("caller", default="")
