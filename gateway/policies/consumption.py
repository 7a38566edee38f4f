"""Consumption: of some calls it is remembered which top-level fields were sent and answered, by name; of the others nothing."""

from gateway.consumption.fields import Fields, Sniffed
from gateway.consumption.tally import FieldUse
from gateway.contracts import BadContract
from gateway.pipeline import Call, Factory, Forward, Operation, Policy
from gateway.schemas import Unresolvable
from kernel.sections.consumption import Consumption


def consumption(tally: FieldUse | None, settings: Consumption) -> Factory:
    """`tally` None: nothing is remembered."""

    def build(operation: Operation) -> Policy | None:
        if tally is None or not settings.enabled or operation.public or operation.layer == "door":
            return None
        try:
            return _looking(operation, Fields.of(operation), tally, settings.sample)
        except Unresolvable as error:
            raise BadContract(f"{operation.method} {operation.path}: {error}") from None

    return build


def _looking(operation: Operation, fields: Fields, tally: FieldUse, sample: int) -> Policy:
    turns = tally.turns(operation.id)
    left = turns.left

    async def policy(call: Call, forward: Forward) -> None:
        client = call.caller.client
        passing = left.get(client)
        if passing:
            left[client] = passing - 1
            await forward(call)
            return
        turns.begin(client, sample)
        seen, send = list(fields.asked(call)), call.send
        sniffed = Sniffed(send)
        call.send = sniffed.take
        try:
            await forward(call)
        finally:
            call.send = send
            tally.see(call.caller, operation, (*seen, *fields.answered(sniffed.body)))

    return policy
