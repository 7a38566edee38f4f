"""Validating a quote: all checks at once, each with its own deadline, none able to spoil the answer of another."""

import asyncio
import logging
from collections.abc import Sequence

from contracts.models.operation import CrmRecord
from contracts.models.reference import Reference
from contracts.models.sales import Quote
from contracts.models.validation import Check, Finding, QuoteValidation, Verdict, overall
from contracts.ports.system import Systems
from kernel.clock import Clock
from kernel.context import caller, may_see, restricted
from kernel.problem import Conflict, Internal, Invalid, NotFound, PlatformTimeout, Problem
from master_data.book import MasterData
from process_apis.operations import account_of, no_such
from process_apis.quotes.checks import CRM, QUESTIONS, Question
from process_apis.quotes.dossier import Dossier

log = logging.getLogger("trivium.quotes")


class QuoteDecisions:
    """Implements the port `QuoteProcess`. `deadline` is seconds per check."""

    def __init__(
        self, systems: Systems, book: MasterData, clock: Clock, deadline: float, questions: Sequence[Question] = QUESTIONS
    ) -> None:
        self._systems, self._book, self._clock = systems, book, clock
        self._deadline, self._questions = deadline, questions

    async def validate_quote(self, request: CrmRecord) -> QuoteValidation:
        """The verdict on the quote as it is now. Raises NotFound when the CRM has no such quote, or not for this caller."""
        self._refuse_elsewhere(request)
        self._systems.crm(request.connection)  # an unknown connection is the caller's mistake, not a check's
        now = self._clock.now()
        dossier = Dossier(self._systems, self._book, request, now.date())
        try:
            await self._refuse_hidden(dossier)
            checks = list(await asyncio.gather(*(self._ask(question, dossier) for question in self._questions)))
            quote = _quote(dossier)
            return QuoteValidation(
                quote=request, quote_number=quote and quote.number, verdict=overall(checks), validated_at=now,
                total=quote and quote.total, tax=dossier.settled("tax preview"), customer=_customer(dossier), checks=checks,
                customer_key=dossier.settled("customer key"), account=_account(quote),
            )  # fmt: skip
        finally:
            await dossier.close()

    def _refuse_elsewhere(self, request: CrmRecord) -> None:
        """Where none of the caller's accounts is, nothing is asked: not even whether there is such a connection."""
        accounts = caller.get().accounts
        if accounts is not None and not any(account.startswith(f"{request.connection}/") for account in accounts):
            raise no_such("quote", request)

    async def _refuse_hidden(self, dossier: Dossier) -> None:
        """Whose quote it is must be known before a restricted caller is told anything of it."""
        if not restricted():
            return
        try:
            async with asyncio.timeout(self._deadline):
                quote = await dossier.quote()
        except NotFound:
            raise no_such("quote", dossier.record) from None
        except TimeoutError:
            late = f"no answer within {self._deadline:g} s"
            raise PlatformTimeout(late, system=dossier.record.connection) from None
        if not may_see(account_of(quote.account)):
            raise no_such("quote", dossier.record)

    async def _ask(self, question: Question, dossier: Dossier) -> Check:
        begun = self._clock.monotonic()
        findings: list[Finding] = []
        problem: Problem | None = None
        try:
            async with asyncio.timeout(self._deadline):
                findings = await question.put(dossier)
        except TimeoutError:
            problem = PlatformTimeout(f"no answer within {self._deadline:g} s")
        except Problem as said:
            problem = said
        except Exception as error:
            # A person waits for thirteen other answers; this one is a mistake of ours, and is found in the log.
            log.error("check stumbled", exc_info=error, extra={"check": question.name})
            problem = Internal(f"the check {question.name} stumbled: {type(error).__name__}")
        system = _system(question, dossier, problem)
        if problem is not None and _is_an_answer(problem):
            findings, problem = [_as_finding(problem)], None
        took = round((self._clock.monotonic() - begun) * 1000)
        return Check(
            name=question.name, verdict=_verdict(findings, problem), system=system, milliseconds=took, findings=findings,
            problem=problem.body() if problem is not None else None,
        )  # fmt: skip


def _verdict(findings: list[Finding], problem: Problem | None) -> Verdict:
    if findings:
        return Verdict.NOT_OK
    return Verdict.OK if problem is None else Verdict.COULD_NOT_CHECK


def _is_an_answer(problem: Problem) -> bool:
    """Whether it says something of the quote. What says something of a system, or of us, leaves the question open."""
    return isinstance(problem, Invalid | NotFound | Conflict)


def _as_finding(problem: Problem) -> Finding:
    fix = problem.fix or "correct what the reason names, then validate again"
    return Finding(field=problem.field or "quote", reason=problem.detail[:2000], fix=fix)


def _system(question: Question, dossier: Dossier, problem: Problem | None) -> str:
    """The connection that was asked, as far as it is known by now."""
    if question.asks == CRM:
        return dossier.record.connection
    if problem is not None and problem.system:
        return problem.system
    route = dossier.settled("route")
    return str(getattr(route, question.asks)) if route is not None else question.asks


def _quote(dossier: Dossier) -> Quote | None:
    """The quote; None when the CRM did not answer in time. That it does not exist is the caller's to know."""
    if isinstance(problem := dossier.problem("quote"), NotFound):
        raise problem
    found: Quote | None = dossier.settled("quote")
    return found


def _account(quote: Quote | None) -> CrmRecord | None:
    return None if quote is None else CrmRecord(connection=quote.account.connection, id=quote.account.id)


def _customer(dossier: Dossier) -> Reference | None:
    route = dossier.settled("route")
    found: Reference | None = dossier.settled(f"customer in {route.erp}") if route else None
    return found
