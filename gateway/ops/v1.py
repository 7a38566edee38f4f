"""`ops/gateway` 1: each topic declares its operations in a file of its own."""

from gateway.house import House
from gateway.ops.audit import declare_audit
from gateway.ops.clients import declare_clients
from gateway.ops.configuration import declare_configuration
from gateway.ops.consumption import declare_consumption
from gateway.ops.decisions import declare_decisions
from gateway.ops.mirrors import declare_mirrors
from gateway.ops.partners import declare_partners
from gateway.ops.registrations import declare_registrations
from gateway.ops.usage import declare_usage
from kernel.api import Api

SCOPES = {"gateway:read": "See what the gateway decided and what is in force", "gateway:write": "Change what is in force"}


def gateway_api(house: House) -> Api:
    """The API over this process's house. Endpoints reach into the house when they are called, not when they are declared."""
    api = Api(
        layer="ops", name="gateway", version="1.0.0", title="Gateway",
        description="Partners and their clients, usage, decisions and the configuration in force.",
        team="api-platform", scopes=SCOPES,
    )  # fmt: skip
    declare_partners(api, house)
    declare_clients(api, house)
    declare_usage(api, house)
    declare_consumption(api, house)
    declare_registrations(api, house)
    declare_decisions(api, house)
    declare_configuration(api, house)
    declare_mirrors(api, house)
    declare_audit(api, house)
    return api
