"""A server is a real one, reached over TLS; a path alone means wherever the contract is served."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from governance.contract import Contract
from governance.lint.rule import Violation, rule

_INVENTED = ("example.com", "example.org", "example.net", "localhost")


@rule(
    "servers", 11, see="Spectral oas3-server-not-example.com; OWASP API8:2023 no-http", fix="name the https URL callers use, or /"
)
def servers(contract: Contract) -> Iterator[Violation]:
    for server in contract.root.raw("servers").elements():
        url = str(server.get("url", ""))
        parts = urlsplit(url)
        if parts.scheme and parts.scheme != "https":
            yield Violation(server, f"{url} is not https")
        elif (parts.hostname or "").endswith(_INVENTED):
            yield Violation(server, f"{url} is nowhere")
