"""A configuration is checked by building from it all that can be built without opening anything, and telling all that fails."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from gateway.configuration.bundle import BadConfiguration, Bundle
from gateway.configuration.sections import governed
from gateway.contracts import BadContract, load_documents
from gateway.limits.limiter import Limiter
from gateway.observe import AccessLog, Metrics
from gateway.partners.standing import PartnerStanding
from gateway.pipeline import Call, Factory, Operation, Policy, compose
from gateway.policies import Means, policies
from gateway.policies.trace import Observation
from gateway.routes import Router
from gateway.services.foreign import governed_services, operations_of
from gateway.services.overlay import Governed
from kernel.clock import Clock, SystemClock
from kernel.settings import Settings


@dataclass(frozen=True)
class Checked:
    """A configuration that can be read: the settings under it, and the operations it promises."""

    bundle: Bundle
    settings: Settings
    operations: tuple[Operation, ...]
    services: Mapping[str, Governed] = field(default_factory=dict)


def checked(bundle: Bundle, settings: Settings) -> Checked:
    """`loaded`, and built on trial. Raises BadConfiguration with all faults."""
    found = loaded(bundle, settings)
    faults = list(_unbuildable(found.operations, found.settings))
    if faults:
        raise BadConfiguration(faults)
    return found


def loaded(bundle: Bundle, settings: Settings) -> Checked:
    """`settings`: those of this process, of which the bundle replaces its sections. Raises BadConfiguration with all faults."""
    faults: list[str] = []
    operations: tuple[Operation, ...] = ()
    try:
        settings = governed(settings, bundle.sections)
    except ValueError as error:
        faults += str(error).split("; ")
    try:
        operations = load_documents(bundle.documents)
    except BadContract as error:
        faults += str(error).splitlines()
    services: Mapping[str, Governed] = {}
    try:
        services = governed_services(settings.services, bundle.text)
    except BadContract as error:
        faults += str(error).splitlines()
    if faults:
        raise BadConfiguration(faults)
    return Checked(bundle, settings, (*operations, *operations_of(services)), services)


def offline(observation: Observation, authenticate: Factory, settings: Settings, clock: Clock | None = None) -> Sequence[Factory]:
    """The policies without anything that outlives a call: counters of their own, no store, every partner in good standing."""
    limiter = Limiter(clock=clock or SystemClock())
    return policies(Means(observation, authenticate, limiter, settings, partners=_GoodStanding()))


def unserved(operations: Sequence[Operation], served: Collection[str]) -> list[str]:
    """Promises of APIs that nothing here serves."""
    return [
        f"{operation.id} is promised by {operation.api}, which nothing serves"
        for operation in operations
        if operation.api not in served
    ]


class _GoodStanding(dict[str, PartnerStanding]):
    def get(self, name: str, default: object = None) -> PartnerStanding:
        return PartnerStanding(active=True, accounts=frozenset(), refuse_until=0)


def unobserved() -> Observation:
    return Observation(Metrics(CollectorRegistry()), AccessLog(lambda _: None, cap=0))


def _unbuildable(operations: Sequence[Operation], settings: Settings) -> Iterator[str]:
    try:
        factories = offline(unobserved(), _nobody, settings)
    except (BadContract, ValueError) as error:
        yield str(error)
        return
    routes = []
    for operation in operations:
        try:
            routes.append((operation, compose(factories, operation, _nowhere)))
        except BadContract as error:
            yield from str(error).splitlines()
    try:
        Router(routes)
    except BadContract as error:
        yield str(error)


def _nobody(_: Operation) -> Policy | None:
    return None


async def _nowhere(_: Call) -> None:
    return None
