"""Stripe as a Billing platform: what the port asks, in Stripe's calls. Nothing is retried here; the guard does that."""

from datetime import timedelta
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.models.catalog import Prices
from contracts.models.party import Customer, CustomerStatusChange, NewCustomer
from contracts.models.subscription import Invoices, NewSubscription, Subscription, Subscriptions
from contracts.models.tax import TaxPreview, TaxRequest
from contracts.ports.effects import Capability, Safety
from contracts.ports.system import Billing
from kernel.clock import Clock, SystemClock
from kernel.context import correlation_id
from kernel.http import path
from kernel.problem import Conflict, NotFound, Refused
from kernel.settings import BadSettings, Connection
from system_apis.connector import Connector, Secrets
from system_apis.connectors.stripe import forms, mapping
from system_apis.connectors.stripe.client import StripeClient, Wire
from system_apis.connectors.stripe.fields import Fields

LOOKUP_KEYS = 10  # the most that one list of prices may ask for
SHOWN = 200  # the most that our lists answer
CLOCKS_APART = timedelta(minutes=5)

# A create is repeated safely under its key for 24 hours. A 5xx is kept under the key too: then look up, and use a new key.
# Both look-ups read lists, which show what was created at once, so no lag has to be waited out.
CREATE = Capability(Safety.KEYED, remembers_failures=True, look_up_lag=0)
F = TypeVar("F", Customer, Subscription)


class Options(BaseModel):
    """`search_lag_seconds`: how long Stripe's search may lag behind; customers younger than that are found by listing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    search_lag_seconds: Annotated[int, Field(ge=0, le=7 * 86_400)] = 3600
    automatic_tax: bool = True


class StripeBilling:
    """Implements `contracts.ports.system.Billing`."""

    def __init__(self, client: StripeClient, options: Options, clock: Clock) -> None:
        self._client, self._options, self._clock = client, options, clock

    async def find_customer(self, key: str) -> Customer | None:
        """By metadata.external_id: first in the search index, then among the customers too young to be surely in it.

        Raises Conflict when several customers carry the key.
        """
        since = self._clock.now() - timedelta(seconds=self._options.search_lag_seconds) - CLOCKS_APART
        query = f"metadata['{mapping.EXTERNAL_ID}']:'{_quoted(key)}'"
        found = self._customers_of(key, await self._client.searched("/v1/customers/search", query))
        if not found:
            young = {"created": {"gte": int(since.timestamp())}}
            found = self._customers_of(key, await self._client.listed("/v1/customers", young))
        return self._only(found, mapping.EXTERNAL_ID)

    async def get_customer(self, customer_id: str) -> Customer:
        wire = await self._client.get(path("/v1/customers/{id}", id=customer_id))
        if wire.get("deleted") is True:
            raise NotFound(f"Stripe: the customer {customer_id} was deleted", system=self._client.system)
        return mapping.customer(self._fields(wire))

    async def create_customer(self, new: NewCustomer, idempotency_key: str) -> Customer:
        form = forms.customer_form(new, correlation_id.get())
        return mapping.customer(self._fields(await self._client.post("/v1/customers", form, idempotency_key)))

    async def set_customer_status(self, customer_id: str, change: CustomerStatusChange) -> Customer:
        wire = await self._client.post(path("/v1/customers/{id}", id=customer_id), forms.status_form(change.status))
        return mapping.customer(self._fields(wire))

    async def list_prices(self, keys: list[str]) -> Prices:
        found: list[Wire] = []
        for first in range(0, len(keys), LOOKUP_KEYS):
            some = keys[first : first + LOOKUP_KEYS]
            found += await self._client.listed("/v1/prices", {"lookup_keys": some, "active": True})
        return Prices(items=[mapping.price(self._fields(one)) for one in found])

    async def preview_tax(self, request: TaxRequest) -> TaxPreview:
        wire = await self._client.compute("/v1/tax/calculations", forms.tax_form(request))
        return mapping.tax_preview(self._fields(wire), request)

    async def find_subscription(self, customer_id: str, key: str) -> Subscription | None:
        """By metadata.external_ref among all of the customer's; one that lives goes before those that were cancelled."""
        found = [one for one in await self._subscriptions(customer_id) if one.key == key]
        living = [one for one in found if mapping.live(one)]
        return self._only(living, mapping.EXTERNAL_REF) or next(iter(found), None)

    async def get_subscription(self, subscription_id: str) -> Subscription:
        return mapping.subscription(self._fields(await self._client.get(path("/v1/subscriptions/{id}", id=subscription_id))))

    async def list_subscriptions(self, customer_id: str) -> Subscriptions:
        """The newest 200."""
        return Subscriptions(items=await self._subscriptions(customer_id, SHOWN))

    async def list_invoices(self, customer_id: str) -> Invoices:
        """The newest 200."""
        found = await self._client.listed("/v1/invoices", {"customer": customer_id}, SHOWN)
        return Invoices(items=[mapping.invoice(self._fields(one)) for one in found])

    async def create_subscription(self, new: NewSubscription, idempotency_key: str) -> Subscription:
        ids = sorted({line.price for line in new.lines if line.amount is not None})
        prices = {id: self._fields(await self._client.get(path("/v1/prices/{id}", id=id))) for id in ids}
        form = forms.subscription_form(new, prices, correlation_id.get(), automatic_tax=self._options.automatic_tax)
        return mapping.subscription(self._fields(await self._client.post("/v1/subscriptions", form, idempotency_key)))

    async def cancel_subscription(self, subscription_id: str) -> Subscription:
        """Stripe does not find one that was cancelled before: a look tells it from one that never was."""
        place = path("/v1/subscriptions/{id}", id=subscription_id)
        try:
            wire = await self._client.delete(place, {"invoice_now": False, "prorate": False})
        except (NotFound, Refused):
            found = await self.get_subscription(subscription_id)
            if mapping.live(found):
                raise
            return found
        return mapping.subscription(self._fields(wire))

    async def probe(self) -> None:
        await self._client.get("/v1/prices", {"limit": 1})

    async def _subscriptions(self, customer_id: str, at_most: int | None = None) -> list[Subscription]:
        found = await self._client.listed("/v1/subscriptions", {"customer": customer_id, "status": "all"}, at_most)
        return [mapping.subscription(self._fields(one)) for one in found]

    def _customers_of(self, key: str, wires: list[Wire]) -> list[Customer]:
        """Search compares without case, so the key is compared again."""
        carrying = (self._fields(one) for one in wires if one.get("deleted") is not True)
        return [mapping.customer(one) for one in carrying if mapping.key(one, mapping.EXTERNAL_ID) == key]

    def _only(self, found: list[F], name: str) -> F | None:
        if len(found) > 1:
            ids = ", ".join(one.reference.id for one in found)
            fix = f"leave metadata.{name} on one of them only"
            raise Conflict(f"Stripe: {ids} carry the same metadata.{name}", system=self._client.system, field="key", fix=fix)
        return found[0] if found else None

    def _fields(self, wire: Wire) -> Fields:
        return Fields(wire, self._client.system, str(wire.get("object", "answer")))


def connect(connection: Connection, secrets: Secrets, clock: Clock = SystemClock()) -> Connector:
    """A live connection; raises BadSettings for unknown options and MissingCredential without a secret key."""
    client = StripeClient(connection, secrets)
    billing = StripeBilling(client, _options(connection), clock)
    return Connector(
        connection=connection.id,
        vendor="stripe",
        ports={Billing: billing},
        capabilities={"create_customer": CREATE, "create_subscription": CREATE},
        probe=billing.probe,
        close=client.close,
    )


def _options(connection: Connection) -> Options:
    try:
        return Options.model_validate(dict(connection.options), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadSettings(f"connection {connection.id!r}: options.{where}: {first['msg']}") from None


def _quoted(text: str) -> str:
    """For a quoted value of Stripe's search language."""
    return text.replace("\\", "\\\\").replace("'", "\\'")
