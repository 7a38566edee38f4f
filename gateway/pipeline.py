"""What the door is made of: an Operation per contract entry, a Call per request, a chain of policies composed once at start.

A policy factory takes an Operation and answers its policy, or None where the policy does not apply. A policy does its one
thing and forwards, or raises a Problem. The chain is pure ASGI: `forward(call)` ends in the dispatch that runs the upstream.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from gateway.schemas import Document

ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Limit:
    """`quota` calls per `window` seconds, named as in the RateLimit fields; `kernel.sections.limits` has the whole rule."""

    policy: str
    quota: int  # 0 in a contract: what was inherited under this name does not hold
    window: int = 0  # seconds; 0 for a calendar period and for calls under way at once
    outage: str = ""  # deny | allow | local while the shared store is away; "" leaves it to the estate's setting
    kind: str = "sliding"  # | gcra | day | month | concurrent
    burst: int = 0  # of gcra: how many calls may come at once
    per: str = "operation"  # | client: all operations of a client together
    shadow: bool = False  # measured, never enforced


@dataclass(frozen=True)
class Operation:
    """Everything the contract says about one operation, resolved at start."""

    id: str  # operationId
    api: str  # "process/orders"
    version: str  # "1.2.0"
    layer: str  # system | process | experience | ops
    method: str
    path: str  # template, e.g. "/process/orders/v1/orders/{order_id}"
    scopes: frozenset[str]
    public: bool
    limits: Mapping[str, tuple[Limit, ...]]  # plan -> limits; "default" is always there
    idempotency: str  # required | none
    timeout: float  # seconds
    max_body: int  # bytes
    audience: str  # internal | partner | public
    path_parameters: Mapping[str, Mapping[str, Any]]  # name -> JSON Schema
    query_parameters: Mapping[str, Mapping[str, Any]]
    required_query: frozenset[str]
    header_parameters: Mapping[str, Mapping[str, Any]]
    required_headers: frozenset[str]
    body_schema: Mapping[str, Any] | None  # self-contained JSON Schema 2020-12 ($defs inside)
    body_required: bool
    body_media: tuple[str, ...]
    lifecycle: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)  # x-…: the document's own, replaced by the operation's
    said: Mapping[str, Any] = field(default_factory=dict)  # the operation as its contract has it
    document: Document | None = None  # what references in `said` lead into


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as proved by the token."""

    client: str
    subject: str
    scopes: frozenset[str]
    plan: str = "default"
    accounts: frozenset[str] | None = None  # None: not restricted to certain accounts
    token_id: str = ""
    expires_at: int = 0
    partner: str = ""  # the partner whose client it is; "" for our own
    issuer: str = ""  # who issued the token; "" for ourselves
    issued_at: int = 0  # Unix time; 0: not known
    key_id: str = ""  # of the key the token is signed with
    confirmation: tuple[tuple[str, str], ...] = ()  # RFC 7800: what its holder must prove, and of what; (): nothing
    actor: str = ""  # who acts for the subject (RFC 8693 section 4.1); "": nobody but the client


NOBODY = Caller(ANONYMOUS, ANONYMOUS, frozenset())


@dataclass(slots=True)
class Call:
    """One request on its way through the door."""

    scope: Scope
    receive: Receive
    send: Send
    operation: Operation
    path_params: dict[str, str]
    correlation_id: str
    caller: Caller = NOBODY
    body: bytes | None = None  # read once, by the first policy that needs it
    parsed: tuple[Any] | None = None  # its JSON value, once somebody asked for it; see `bodies.value`
    response_headers: list[tuple[bytes, bytes]] = field(default_factory=list)  # added to whatever the upstream answers
    facts: dict[str, Any] | None = None  # what a receipt tells beside what every call has; see `note`
    request_id: str = ""  # of this request alone; the correlation id may span several
    dispatched: float = -1.0  # seconds spent behind the door; less than 0: the call did not get there
    headers: dict[bytes, bytes] = field(init=False)  # as they arrived, the first value of each

    def __post_init__(self) -> None:
        self.headers = dict(reversed(self.scope["headers"]))

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header, its name in lower case."""
        return self.headers.get(name)

    def note(self, name: str, fact: Any) -> None:
        """Something that decided this call and is not the same for every call of its operation; never a secret."""
        if self.facts is None:
            self.facts = {}
        self.facts[name] = fact


Forward = Callable[[Call], Awaitable[None]]


class Policy(Protocol):
    """One concern. The chain hands it what comes after it by name."""

    def __call__(self, call: Call, forward: Forward) -> Awaitable[None]: ...


Factory = Callable[[Operation], Policy | None]


def compose(policies: Sequence[Factory], operation: Operation, dispatch: Forward) -> Forward:
    """One closure per operation: the policies that apply, in their order, around the dispatch."""
    chain = dispatch
    for factory in reversed(policies):
        policy = factory(operation)
        if policy is not None:
            tell: Callable[[Forward], None] | None = getattr(policy, "before", None)  # whoever wants to know what follows
            if tell is not None:
                tell(chain)
            chain = partial(policy, forward=chain)
    return chain


def names(chain: Forward) -> tuple[str, ...]:
    """The policies of a composed chain in their order, each by its file, and last what runs behind them."""
    found = []
    while isinstance(chain, partial):
        found.append(chain.func.__module__.rpartition(".")[2])
        chain = chain.keywords["forward"]
    return (*found, chain.__module__.rpartition(".")[2])
