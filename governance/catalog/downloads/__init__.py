"""What can be taken along, by file name: the contract itself, and collections for programs that send requests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from governance.catalog.downloads import bruno, documents, postman
from governance.contract import Contract

Made = Callable[[Contract, str], bytes]


@dataclass(frozen=True)
class Download:
    media: str
    about: str
    made: Made  # of a contract and the address at which it is served


DOWNLOADS: Mapping[str, Download] = {
    "openapi.yaml": Download("application/yaml", "OpenAPI, YAML", documents.as_yaml),
    "openapi.json": Download("application/json", "OpenAPI, JSON", documents.as_json),
    "postman.json": Download("application/json", "Postman collection 2.1", postman.collection),
    "bruno.zip": Download("application/zip", "Bruno collection", bruno.collection),
}
