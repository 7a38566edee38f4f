"""CRM v1: accounts, quotes and opportunities of any connected CRM, in canonical words."""

from fastapi import Response

from contracts.models.party import Account
from contracts.models.sales import Opportunities, Quote, Quotes, References
from contracts.ports.system import Systems
from kernel.api import Api
from kernel.problem import Conflict
from system_apis.parameters import Connection, ObjectId


def crm_api(systems: Systems) -> Api:
    api = Api(
        "system", "crm", "1.0.0", "CRM", "Accounts, quotes and opportunities of any connected CRM.", "platform-integration",
        {"crm:read": "Read CRM records", "crm:write": "Write references back to CRM records"}, problems=(Conflict,),
    )  # fmt: skip

    @api.get("/{connection}/accounts/{account_id}", scope="crm:read")
    async def get_account(connection: Connection, account_id: ObjectId) -> Account:
        """An account as sales knows it."""
        return await systems.crm(connection).get_account(account_id)

    @api.get("/{connection}/accounts/{account_id}/quotes", scope="crm:read")
    async def list_quotes(connection: Connection, account_id: ObjectId) -> Quotes:
        """The account's quotes, newest first."""
        return await systems.crm(connection).list_quotes(account_id)

    @api.get("/{connection}/accounts/{account_id}/opportunities", scope="crm:read")
    async def list_opportunities(connection: Connection, account_id: ObjectId) -> Opportunities:
        """The account's opportunities, newest first."""
        return await systems.crm(connection).list_opportunities(account_id)

    @api.get("/{connection}/quotes/{quote_id}", scope="crm:read")
    async def get_quote(connection: Connection, quote_id: ObjectId) -> Quote:
        """A quote with its lines and the contract it offers."""
        return await systems.crm(connection).get_quote(quote_id)

    @api.put("/{connection}/accounts/{account_id}/references", scope="crm:write", status=204)
    async def write_account_references(connection: Connection, account_id: ObjectId, references: References) -> Response:
        """Writes what other systems made of the account on its record; absent members stay as they are."""
        await systems.crm(connection).write_account_references(account_id, references)
        return Response(status_code=204)

    @api.put("/{connection}/quotes/{quote_id}/references", scope="crm:write", status=204)
    async def write_quote_references(connection: Connection, quote_id: ObjectId, references: References) -> Response:
        """Writes what other systems made of the quote on its record and its opportunity; absent members stay as they are."""
        await systems.crm(connection).write_quote_references(quote_id, references)
        return Response(status_code=204)

    return api
