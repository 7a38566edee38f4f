"""Between our own processes the outer caller travels beside the token; the header tells who asked, never what may be done.

The scopes stay those of the token that was presented: a service that forwards acts with its own authority, for the named caller.
"""

import base64
import binascii
import json
from dataclasses import replace
from typing import Any

from gateway.pipeline import Caller
from kernel.problem import BadRequest

HEADER = b"x-trivium-caller"
SCOPE = "internal:forward"
_LONGEST = 16_384  # bytes


def caller_header(caller: Caller) -> bytes:
    """The header's value: base64url of a JSON object with client, subject, plan and accounts (null: all accounts)."""
    accounts = None if caller.accounts is None else sorted(caller.accounts)
    told = {"client": caller.client, "subject": caller.subject, "plan": caller.plan, "accounts": accounts}
    return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).rstrip(b"=")


def forwarded_caller(presented: Caller, value: bytes | None) -> Caller:
    """The outer caller, where the presented token may forward and the header names one; otherwise the token's own.

    Accounts narrow only: a presented token that is restricted itself cannot forward more. Raises BadRequest for a header that
    cannot be read.
    """
    if value is None or SCOPE not in presented.scopes:
        return presented
    told = _told(value)
    accounts = None if told["accounts"] is None else frozenset(told["accounts"])
    if presented.accounts is not None:
        accounts = presented.accounts if accounts is None else accounts & presented.accounts
    scopes = presented.scopes - {SCOPE}
    return replace(presented, client=told["client"], subject=told["subject"], plan=told["plan"], accounts=accounts, scopes=scopes)


def _told(value: bytes) -> dict[str, Any]:
    try:
        if len(value) > _LONGEST:
            raise ValueError("too long")
        told = json.loads(base64.b64decode(value + b"=" * (-len(value) % 4), altchars=b"-_", validate=True))
        names = [told[name] for name in ("client", "subject", "plan")]
        accounts = told["accounts"]
        if not all(isinstance(name, str) and name for name in names) or not _names_accounts(accounts):
            raise ValueError("wrong types")
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        raise BadRequest(f"the header {HEADER.decode()} cannot be read", field=HEADER.decode()) from None
    return {"client": told["client"], "subject": told["subject"], "plan": told["plan"], "accounts": accounts}


def _names_accounts(accounts: object) -> bool:
    return accounts is None or (isinstance(accounts, list) and all(isinstance(account, str) for account in accounts))
