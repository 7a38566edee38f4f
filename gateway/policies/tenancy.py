"""Tenancy: a caller who may see certain accounts reaches those, and nothing that its contract does not open to partners.

What belongs to somebody else is answered as what does not exist (404); a whole operation that is not open is refused (403).
A caller who is not restricted pays one comparison.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from gateway import bodies
from gateway.contracts import BadContract
from gateway.partners.standing import PartnerStanding
from gateway.pipeline import Call, Caller, Factory, Forward, Operation, Policy
from kernel.problem import Forbidden, NotFound, Unauthorized
from kernel.tenancy import EXTENSION, OPEN

BOUNDS = ("path", "body", "query", "filtered", "none")
Naming = Callable[[Call], str | None]  # the account a request is about; None: it names none, or more than one


def require_tenancy(standings: Mapping[str, PartnerStanding]) -> Factory:
    """`standings`: the partners known here, as they stand at this moment."""

    def build(operation: Operation) -> Policy | None:
        if operation.public:
            return None
        said = _said(operation)
        if operation.audience not in OPEN or said is None:
            return _closed
        naming = _naming(operation, said)

        async def policy(call: Call, forward: Forward) -> None:
            caller = call.caller
            if caller.accounts is not None or caller.partner:
                caller = call.caller = _narrowed(caller, standings)
                if naming is not None and naming(call) not in (caller.accounts or ()):
                    raise no_such_account()
            await forward(call)

        return policy

    return build


def require_own_body(operation: Operation) -> Policy | None:
    """The half that needs the body: after its validation, so that a body that breaks the contract is told so."""
    said = _said(operation)
    if operation.public or operation.audience not in OPEN or said is None or said["bound"] != "body":
        return None
    pointers = [_steps(operation, pointer) for pointer in said["account"]]

    async def policy(call: Call, forward: Forward) -> None:
        accounts = call.caller.accounts
        if accounts is not None:
            body = await bodies.read(call)
            if not body or _named(bodies.value(call), pointers) not in accounts:
                raise no_such_account()
        await forward(call)

    return policy


def no_such_account() -> NotFound:
    return NotFound("there is no such account", fix="use one of the accounts that your token is for")


async def _closed(call: Call, forward: Forward) -> None:
    caller = call.caller
    if caller.accounts is not None or caller.partner:
        raise Forbidden("this operation is not open to partners")
    await forward(call)


def _narrowed(caller: Caller, standings: Mapping[str, PartnerStanding]) -> Caller:
    """The caller with the accounts its partner has by now. Whoever names a partner and no accounts has all of that partner's.

    Raises Unauthorized when the partner is suspended, or was or has changed since the token was issued.
    """
    standing = standings.get(caller.partner)
    if standing is None:
        return caller if caller.accounts is not None else replace(caller, accounts=frozenset())
    if not standing.allows(caller.issued_at):
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token", error_description="the token has been revoked"'}
        raise Unauthorized("the token has been revoked", fix="ask whoever runs this gateway", headers=challenge)
    accounts = standing.accounts if caller.accounts is None else caller.accounts & standing.accounts
    return caller if accounts == caller.accounts else replace(caller, accounts=accounts)


def _said(operation: Operation) -> Mapping[str, Any] | None:
    """The declaration, or None where there is none. Raises BadContract."""
    said = operation.extensions.get(EXTENSION)
    if said is None:
        return None
    bound = said.get("bound") if isinstance(said, Mapping) else None
    if bound not in BOUNDS:
        raise _bad(operation, f"`bound` is one of {', '.join(BOUNDS)}")
    if bound == "none" and not (isinstance(said.get("reason"), str) and said["reason"].strip()):
        raise _bad(operation, "`bound: none` needs a `reason`: why nothing in it belongs to anybody")
    if bound in ("path", "body", "query"):
        names = said.get("account")
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise _bad(operation, f"`bound: {bound}` needs `account`: what names the account, connection first")
        _check(operation, bound, names)
    found: Mapping[str, Any] = said
    return found


def _check(operation: Operation, bound: str, names: Sequence[str]) -> None:
    known = {"path": operation.path_parameters, "query": operation.query_parameters}.get(bound)
    unknown = sorted(set(names) - known.keys()) if known is not None else []
    if unknown:
        raise _bad(operation, f"it has no {bound} parameter {', '.join(unknown)}")
    if bound == "body" and not operation.body_media:
        raise _bad(operation, "it takes no body")


def _naming(operation: Operation, said: Mapping[str, Any]) -> Naming | None:
    names = said.get("account", ())
    match said["bound"]:
        case "path":
            return lambda call: _joined([call.path_params[name] for name in names])
        case "query":
            return lambda call: _asked(call.scope["query_string"], names)
    return None


def _asked(query: bytes, names: Sequence[str]) -> str | None:
    try:
        given = parse_qs(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=256)
    except ValueError:
        return None
    return _joined([texts[0] if len(texts) == 1 else None for texts in (given.get(name, ()) for name in names)])


def _steps(operation: Operation, pointer: str) -> list[str]:
    """RFC 6901 section 4."""
    if not pointer.startswith("/"):
        raise _bad(operation, f"{pointer!r} is not a JSON pointer: begin it with /")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")]


def _named(body: Any, pointers: Sequence[Sequence[str]]) -> str | None:
    found = []
    for steps in pointers:
        value = body
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        found.append(value)
    return _joined(found)


def _joined(parts: Sequence[Any]) -> str | None:
    """The account's name. No part but the last may have a slash, or two requests would have one name."""
    if not all(isinstance(part, str) for part in parts) or any("/" in part for part in parts[:-1]):
        return None
    return "/".join(parts)


def _bad(operation: Operation, why: str) -> BadContract:
    return BadContract(f"{operation.method} {operation.path}: {EXTENSION}: {why}")
