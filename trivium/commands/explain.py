"""`trivium explain`: the receipt of one call, for people or for programs."""

from time import monotonic, sleep
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from contracts.models.receipt import Receipt
from gateway.decisions.receipt import receipt
from gateway.decisions.store import DecisionStore
from gateway.ops.decisions import no_receipt
from kernel.settings import Settings
from trivium.terminal import out, refuse, settings_in_force

WRITTEN_WITHIN = 1.0  # seconds after the answer


def explain(
    request_id: Annotated[str, typer.Argument(help="The X-Request-Id of the answer, or the `instance` of its problem.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say which operation, policies, limits, token facts and upstream decided a call."""
    settings = settings_in_force()
    found = _found(settings, request_id.rpartition(":")[2].lower())
    if found is None:
        problem = no_receipt(request_id, settings.decisions.keep_days)
        refuse(f"{problem.detail}; {problem.fix}")
    if as_json:
        out.print_json(found.model_dump_json(exclude_none=True))
    else:
        _show(found)


def _found(settings: Settings, request_id: str) -> Receipt | None:
    store, ends = DecisionStore(settings.database, settings.data), monotonic() + WRITTEN_WITHIN
    try:
        while True:
            row = store.find(request_id)
            if row is not None:
                return receipt(*row)
            if monotonic() > ends:
                return None
            sleep(0.1)
    finally:
        store.close()


def _show(found: Receipt) -> None:
    table = Table(show_header=False, title=f"Request {found.request_id}", title_justify="left")
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, text in _lines(found):
        table.add_row(name, Text(text))
    out.print(table, highlight=False)


def _lines(found: Receipt) -> list[tuple[str, str]]:
    lines = [
        ("call", f"{found.method} {found.path}"),
        ("answer", f"{found.status} after {found.seconds * 1000:.1f} ms, at {found.at:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"),
        ("operation", found.operation),
        ("contract", f"{found.api} {found.version}  {found.contract_digest[:12]}".strip()),
        ("configuration", found.configuration[:12]),
        ("policies", " → ".join(found.ran)),
        ("decided by", found.decided_by + (f": {found.problem}" if found.problem else "")),
    ]
    lines += _token(found) + [("limit", _limit(found, position)) for position in range(len(found.limits))]
    if found.behind is not None:
        lines.append(("behind the door", f"{found.behind.by} {found.behind.api}, {found.behind.seconds * 1000:.1f} ms"))
    lines += [(name.replace("_", " "), str(fact)) for name, fact in sorted(found.facts.items())]
    return [*lines, ("correlation id", found.correlation_id), ("trace id", found.trace_id)]


def _token(found: Receipt) -> list[tuple[str, str]]:
    token = found.token
    if token is None:
        return [("token", "none")]
    facts = {
        "client": token.client, "subject": token.subject if token.subject != token.client else None, "plan": token.plan,
        "partner": token.partner, "issuer": token.issuer, "key": token.key_id,
        "age": None if token.age is None else f"{token.age:.0f} s",
    }  # fmt: skip
    told = ", ".join(f"{name} {value}" for name, value in facts.items() if value)
    return [("token", told), ("scopes", " ".join(token.scopes))]


def _limit(found: Receipt, position: int) -> str:
    limit = found.limits[position]
    granted = f"{limit.policy}: {limit.quota}" + (f" in {limit.window} s" if limit.window else "")
    return (
        granted
        if limit.after is None
        else f"{granted}; left {limit.before} before, {limit.after} after, reset in {limit.reset} s"
    )
