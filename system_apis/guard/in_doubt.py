"""What may follow when a write is in doubt and the look-up found nothing: a pure decision from the platform's capability."""

from dataclasses import dataclass

from contracts.ports.effects import Capability, Safety
from kernel.problem import NeedsPerson
from system_apis.guard.claim import Claim

# A failure may come from a proxy while the platform is still at work; then only the same key is harmless. Told again under
# the same key, it is the platform's own, remembered.
_REMEMBERED_AFTER = 2


@dataclass(frozen=True)
class Resend:
    """`once_sure`: only after a look-up made when everything sent must have become visible. `new_key`: under a new key."""

    once_sure: bool
    new_key: bool


def after_absence(capability: Capability, claim: Claim) -> Resend | None:
    """How to send again what a look-up did not find; None when a person must decide."""
    match capability.safety:
        case Safety.UPSERT:
            return Resend(once_sure=False, new_key=claim.key_spent)
        case Safety.KEYED:
            remembered = capability.remembers_failures and claim.failures >= _REMEMBERED_AFTER
            spent = claim.key_spent or remembered
            return Resend(once_sure=spent, new_key=spent)
        case Safety.LOOK_UP:
            return Resend(once_sure=True, new_key=claim.key_spent)
        case Safety.PERSON:
            return None


def needs_person(claim: Claim, reason: str) -> NeedsPerson:
    write = claim.write
    return NeedsPerson(
        f"{write.connection}: {write.operation} of {write.business_key} may or may not have been done; {reason}",
        system=write.connection,
        field="key",
        fix=f"look in {write.connection} for {write.business_key}, then declare it found or absent",
    )
