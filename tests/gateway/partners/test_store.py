"""Partners: what is said of one holds for all its clients, at once and everywhere."""

import asyncio

import pytest

from contracts.models.partner import PartnerState
from gateway.oauth.trust import STALE_AFTER
from kernel.problem import Conflict, Invalid, NotFound, Unauthorized
from tests.gateway.partners.conftest import MINE, MORE

PLANS = ["default", "silver", "gold"]


async def token_of(server, client):
    """As the token endpoint makes it, from what the database says of the client."""
    proved = await server.clients.prove(client.client_id, client.secret)
    if proved is None:
        return None
    said = {"plan": proved.plan, "accounts": proved.accounts}
    return server.tokens.issue(proved.id, proved.scopes, **said).encode()


async def judged(server, token):
    """Whom the token proves in this process; None where it is refused."""
    try:
        return server.verifier.recall(token) or await server.verifier.verify(token)
    except Unauthorized:
        return None


async def test_a_partner_is_kept_as_it_was_registered(store, new):
    made = await store.add(new(plan="gold", accounts=[MORE, MINE, MINE]))

    assert (made.id, made.plan, made.accounts, made.state) == ("acme", "gold", [MINE, MORE], PartnerState.ACTIVE)
    assert await store.get("acme") == made
    with pytest.raises(NotFound, match="there is no partner globex"):
        await store.get("globex")


async def test_registering_the_same_again_changes_nothing_and_another_under_its_id_is_refused(store, new):
    first = await store.add(new())
    again = await store.add(new())

    assert again == first
    with pytest.raises(Conflict, match="there is a partner acme already"):
        await store.add(new(name="Somebody else"))


async def test_partners_are_paged_by_id(store, new):
    for id in ("cc", "aa", "bb"):
        await store.add(new(id))

    assert [partner.id for partner in await store.page(None, 2)] == ["aa", "bb"]
    assert [partner.id for partner in await store.page("bb", 2)] == ["cc"]


async def test_its_clients_have_its_plan_and_its_accounts(here, store, new):
    await store.add(new(plan="gold"))
    client = await store.add_client("acme", "portal", ["orders:read"], ["192.0.2.0/24"])
    kept = await here.clients.find(client.client_id)

    assert (kept.plan, kept.accounts, kept.details.partner) == ("gold", (MINE,), "acme")
    assert kept.details.addresses == ("192.0.2.0/24",)


@pytest.mark.parametrize(
    ("name", "scopes", "problem"),
    [("portal", ["orders:read"], Conflict), ("other", ["moon:walk"], Invalid), ("other", [], Invalid)],
)
async def test_a_client_that_cannot_be_is_refused(store, new, name, scopes, problem):
    await store.add(new())
    await store.add_client("acme", "portal", ["orders:read"])

    with pytest.raises(problem):
        await store.add_client("acme", name, scopes)
    with pytest.raises(NotFound):
        await store.add_client("globex", name, ["orders:read"])


@pytest.mark.parametrize("plan", PLANS)
async def test_a_suspension_closes_every_token_in_every_process_within_a_second(here, there, store, new, clock, plan):
    await store.add(new(plan=plan))
    await store.add(new("globex", plan=plan))
    mine = [await store.add_client("acme", name, ["orders:read"]) for name in ("portal", "batch")]
    other = await store.add_client("globex", "portal", ["orders:read"])
    tokens = [await token_of(here, client) for client in (*mine, other)]
    before = [await judged(server, token) for token in tokens for server in (here, there)]
    await store.suspend("acme", "unpaid")
    clock.pass_seconds(STALE_AFTER)
    after = [[await judged(server, token) for server in (here, there)] for token in tokens]
    new_ones = [await token_of(server, client) for client in mine for server in (here, there)]

    assert all(caller is not None and caller.plan == plan for caller in before)
    assert after[:2] == [[None, None], [None, None]]
    assert all(after[2])
    assert new_ones == [None] * 4


@pytest.mark.parametrize("plan", PLANS)
async def test_resuming_lets_new_tokens_work_and_old_ones_stay_dead(here, there, store, new, clock, plan):
    await store.add(new(plan=plan))
    client = await store.add_client("acme", "portal", ["orders:read"])
    old = await token_of(here, client)
    suspended = await store.suspend("acme", "unpaid")
    clock.pass_seconds(5)
    resumed = await store.resume("acme")
    clock.pass_seconds(STALE_AFTER)
    fresh = await token_of(there, client)

    assert ((suspended.state, suspended.reason), (resumed.state, resumed.reason)) == (("suspended", "unpaid"), ("active", None))
    assert [await judged(server, old) for server in (here, there)] == [None, None]
    assert all([await judged(server, fresh) for server in (here, there)])


async def test_a_client_that_was_closed_before_the_suspension_stays_closed_after_it(here, store, new, clock):
    await store.add(new())
    closed = await store.add_client("acme", "old portal", ["orders:read"])
    kept = await store.add_client("acme", "portal", ["orders:read"])
    await here.clients.deactivate(closed.client_id)
    await store.suspend("acme", "unpaid")
    await store.suspend("acme", "still unpaid")
    await store.resume("acme")
    clock.pass_seconds(2)

    assert await token_of(here, closed) is None
    assert await token_of(here, kept) is not None


async def test_a_suspended_partner_gets_no_clients_and_a_closed_one_nothing_at_all(store, new):
    await store.add(new())
    await store.suspend("acme", "unpaid")
    with pytest.raises(Conflict, match="is suspended"):
        await store.add_client("acme", "portal", ["orders:read"])
    closed = await store.close("acme", "gone")

    assert (closed.state, closed.reason) == (PartnerState.CLOSED, "gone")
    for change in (
        store.resume("acme"),
        store.suspend("acme", "x"),
        store.set_plan("acme", "gold"),
        store.set_accounts("acme", []),
    ):
        with pytest.raises(Conflict, match="closed, which is for good"):
            await change


@pytest.mark.parametrize("change", ["plan", "accounts"])
async def test_a_change_refuses_the_tokens_of_before_and_holds_for_new_ones(here, there, store, new, clock, change):
    await store.add(new())
    client = await store.add_client("acme", "portal", ["orders:read"])
    old = await token_of(here, client)
    await judged(there, old)
    clock.pass_seconds(5)
    await (store.set_plan("acme", "gold") if change == "plan" else store.set_accounts("acme", [MORE]))
    clock.pass_seconds(STALE_AFTER)
    refused = [await judged(server, old) for server in (here, there)]
    fresh = await judged(there, await token_of(here, client))

    assert refused == [None, None]
    assert (fresh.plan, fresh.accounts) == (("gold", {MINE}) if change == "plan" else ("default", {MORE}))


async def test_what_is_so_already_refuses_nobody(here, store, new, clock):
    await store.add(new())
    client = await store.add_client("acme", "portal", ["orders:read"])
    token = await token_of(here, client)
    await store.set_plan("acme", "default")
    await store.set_accounts("acme", [MINE, MINE])
    await store.resume("acme")
    clock.pass_seconds(2)

    assert await judged(here, token) is not None


async def test_every_process_knows_how_a_partner_stands_within_a_second(here, there, store, new, clock):
    """For the tokens that are not its clients': those of its people at our portal, and those of other issuers."""
    await store.add(new())
    clock.pass_seconds(STALE_AFTER)
    await there.trust.current()
    known = there.trust.partners["acme"]
    await store.set_accounts("acme", [MORE])
    await store.suspend("acme", "unpaid")
    clock.pass_seconds(STALE_AFTER)
    await there.trust.current()
    suspended = there.trust.partners["acme"]

    assert (known.active, known.accounts) == (True, {MINE})
    assert (suspended.active, suspended.accounts) == (False, {MORE})
    assert not suspended.allows(2**40)


async def test_a_process_that_starts_later_knows_it_too(store, new, open_process):
    await store.add(new())
    await store.suspend("acme", "unpaid")

    assert not (await open_process()).trust.partners["acme"].active


async def test_accounts_that_would_not_fit_into_a_token_are_refused(store, new):
    await store.add(new())
    with pytest.raises(Invalid, match="more than 4000"):
        await store.set_accounts("acme", [f"salesforce/{'0' * 100}{n}" for n in range(100)])

    assert (await store.get("acme")).accounts == [MINE]


async def test_a_token_with_as_many_accounts_as_there_may_be_is_accepted(here, store, new, clock):
    most = [f"salesforce/0018d00000AbCdE{n:03}" for n in range(100)]
    await store.add(new(accounts=most))
    client = await store.add_client("acme", "portal", ["orders:read"])

    assert (await judged(here, await token_of(here, client))).accounts == set(most)


async def test_suspensions_and_changes_at_once_end_in_one_of_their_orders(here, store, new, clock):
    await store.add(new())
    client = await store.add_client("acme", "portal", ["orders:read"])
    await asyncio.gather(
        *(store.suspend("acme", "unpaid") for _ in range(5)), *(store.set_plan("acme", f"p{n}") for n in range(5))
    )
    partner, kept = await store.get("acme"), [one for one in await here.clients.all() if one.id == client.client_id]

    assert partner.state is PartnerState.SUSPENDED
    assert [(one.plan, one.active) for one in kept] == [(partner.plan, False)]
