"""Whether a quote may become an order: one three-valued verdict per check, each with its source and its time."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from contracts.models.base import Code, Instant, Key, Model, Text
from contracts.models.money import Money
from contracts.models.operation import CrmRecord
from contracts.models.reference import Reference
from contracts.models.tax import TaxPreview


class Verdict(StrEnum):
    """`could_not_check` is neither yes nor no: the system asked was slow, down or unsure."""

    OK = "ok"
    NOT_OK = "not_ok"
    COULD_NOT_CHECK = "could_not_check"


class Finding(Model):
    """One reason why a check is not ok: the field of the quote, what is wrong with it, and what would put it right."""

    field: Annotated[str, Field(max_length=200)]
    reason: Text
    fix: Text


class Check(Model):
    """`system` is the connection that was asked, or "trivium" for our own rules; `milliseconds` how long it took."""

    name: Code
    verdict: Verdict
    system: Code
    milliseconds: Annotated[int, Field(ge=0, le=600_000)]
    findings: Annotated[list[Finding], Field(max_length=500)] = []
    problem: dict[str, Any] | None = None


class QuoteValidation(Model):
    """The answer to a person who waits: the verdict over all checks, each check, and the tax preview if there was one.

    The verdict is `not_ok` when any check is, else `could_not_check` when any check is, else `ok`.
    """

    quote: CrmRecord
    quote_number: Key | None = None
    verdict: Verdict
    validated_at: Instant
    total: Money | None = None
    tax: TaxPreview | None = None
    customer_key: Key | None = None
    customer: Reference | None = None
    account: CrmRecord | None = None
    checks: Annotated[list[Check], Field(max_length=30)]


def overall(checks: list[Check]) -> Verdict:
    """`not_ok` outweighs `could_not_check`, which outweighs `ok`."""
    verdicts = {check.verdict for check in checks}
    for verdict in (Verdict.NOT_OK, Verdict.COULD_NOT_CHECK):
        if verdict in verdicts:
            return verdict
    return Verdict.OK
