"""An operation that must not be done twice is not done at all without the caller's own key for it.

The header is that of the IETF draft "The Idempotency-Key HTTP Header Field"; the bare form of it is accepted as well.
"""

import re

from gateway.pipeline import Call, Forward, Operation, Policy
from kernel.problem import BadRequest

HEADER = b"idempotency-key"
_WELL_FORMED = re.compile(rb'"[\x20\x21\x23-\x5b\x5d-\x7e]{1,255}"|[\x21\x23-\x7e]{1,255}')


def require_idempotency_key(operation: Operation) -> Policy | None:
    if operation.idempotency != "required":
        return None

    async def policy(call: Call, forward: Forward) -> None:
        key = call.headers.get(HEADER)
        if key is None or not _WELL_FORMED.fullmatch(key):
            raise BadRequest(
                "this operation needs an Idempotency-Key" if key is None else "the Idempotency-Key cannot be read",
                field="Idempotency-Key",
                fix="send the header Idempotency-Key with a value of your own, such as a UUID, and the same one when you repeat",
            )
        await forward(call)

    return policy
