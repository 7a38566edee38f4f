"""`ops/gateway` 1: each topic declares its operations in a file of its own."""

from gateway.house import House
from kernel.api import Api

SCOPES = {"gateway:read": "See what the gateway decided and what is in force", "gateway:write": "Change what is in force"}


def gateway_api(house: House) -> Api:
    """The API over this process's house. Endpoints reach into the house when they are called, not when they are declared."""
    api = Api(
        layer="ops", name="gateway", version="1.0.0", title="Gateway",
        description="Partners and their clients, usage, decisions and the configuration in force.",
        team="api-platform", scopes=SCOPES,
    )  # fmt: skip
    return api  # noqa: RET504 - topics declare their operations in between
