"""How runs are started under a caller's key: the fingerprint is of all that was asked."""

from contracts.models.intake import NewOrder
from contracts.models.operation import Reason
from kernel.context import Someone, caller, correlation_id
from process_apis.operations import start_of
from tests.process_apis.platforms.world import quote

ASKED = NewOrder(quote=quote("Q-1003"), customer_reference="PO-77")


async def test_a_start_names_its_caller_and_the_id_it_is_followed_by():
    caller.set(Someone("sales"))
    correlation_id.set("corr-1")
    start = start_of(ASKED, "key-1234", {"quote": "Q-1003"})

    assert (start.client, start.idempotency_key, start.correlation_id) == ("sales", "key-1234", "corr-1")
    assert start.subject == {"quote": "Q-1003"}


def test_the_fingerprint_tells_what_was_asked_and_nothing_else():
    same = NewOrder.model_validate_json(ASKED.model_dump_json())
    others = [
        ASKED.model_copy(update={"customer_reference": None}), ASKED.model_copy(update={"quote": quote("Q-1010")}),
        Reason(reason="why"),
    ]  # fmt: skip
    fingerprint = start_of(ASKED, "key-1234", {}).fingerprint

    assert start_of(same, "key-5678", {"quote": "Q"}).fingerprint == fingerprint
    assert fingerprint not in {start_of(other, "key-1234", {}).fingerprint for other in others}
