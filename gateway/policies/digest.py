"""Which promise was kept: every answer names the contract it was given under, by its digest."""

from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from gateway.schemas import Document
from governance.publishing.digest import digest

HEADER = b"contract-digest"


def name_contract() -> Factory:
    known: dict[Document, bytes] = {}  # one contract has many operations

    def build(operation: Operation) -> Policy | None:
        document = operation.document
        if document is None:
            return None
        if document not in known:
            known[document] = digest(document.root).encode()
        header = (HEADER, known[document])

        async def policy(call: Call, forward: Forward) -> None:
            call.response_headers.append(header)
            await forward(call)

        return policy

    return build
