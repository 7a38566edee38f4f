"""The Crm port as any platform must serve it."""

import pytest

from contracts.models.sales import References
from contracts.ports.system import Crm
from kernel.problem import NotFound, Problem
from kernel.settings import Connection
from tests.conformance.platform import CrmFacts

PORT = Crm


async def test_an_account_has_the_key_under_which_every_platform_knows_it(
    port: Crm, facts: CrmFacts, connection: Connection
) -> None:
    account = await port.get_account(facts.account)

    assert account.number == facts.account_number
    assert (account.reference.connection, account.reference.kind, account.reference.id) == (
        connection.id,
        "account",
        facts.account,
    )
    assert account.address is not None


async def test_a_quote_has_its_lines_and_their_exact_total(port: Crm, facts: CrmFacts) -> None:
    quote = await port.get_quote(facts.quote)

    assert quote.number == facts.quote_number
    assert (quote.reference.kind, quote.reference.id, quote.account.id) == ("quote", facts.quote, facts.account)
    assert quote.lines
    assert quote.total.amount == sum(line.quantity * line.unit_price for line in quote.lines)
    assert quote.total.currency == quote.currency


async def test_the_quotes_and_opportunities_of_an_account_are_listed(port: Crm, facts: CrmFacts) -> None:
    quote = await port.get_quote(facts.quote)

    quotes, opportunities = await port.list_quotes(facts.account), await port.list_opportunities(facts.account)

    assert quote in quotes.items
    assert quote.opportunity is not None
    assert quote.opportunity in [one.reference for one in opportunities.items]


async def test_what_is_not_there_is_not_found(port: Crm, facts: CrmFacts) -> None:
    for ask in (port.get_account, port.get_quote):
        with pytest.raises(NotFound):
            await ask(facts.absent)
    with pytest.raises(Problem) as refusal:
        await port.write_quote_references(facts.absent, References(order_key="ORD-1"))

    assert not refusal.value.retryable
    assert not refusal.value.ambiguous


async def test_references_are_written_and_read_back_and_absent_ones_stay(port: Crm, facts: CrmFacts) -> None:
    for _ in range(2):
        await port.write_account_references(facts.account, References(erp_customer_id="1001"))
    await port.write_account_references(facts.account, References(billing_customer_id="cus_1"))
    await port.write_quote_references(facts.quote, References(order_key="ORD-1", erp_order_number="SO-1"))
    await port.write_quote_references(facts.quote, References(billing_subscription_id="sub_1"))

    account, quote = await port.get_account(facts.account), await port.get_quote(facts.quote)

    assert (account.erp_customer_id, account.billing_customer_id) == ("1001", "cus_1")
    assert quote.order_key == "ORD-1"


async def test_writing_no_reference_changes_nothing(port: Crm, facts: CrmFacts) -> None:
    before = await port.get_account(facts.account), await port.get_quote(facts.quote)

    await port.write_account_references(facts.account, References())
    await port.write_quote_references(facts.quote, References())

    assert (await port.get_account(facts.account), await port.get_quote(facts.quote)) == before
