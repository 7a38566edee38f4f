"""An API has an id that stays: its layer and its name, as its file is called."""

import re
from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

_ID = re.compile(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_]*", re.ASCII)


@rule("api-id", 14, see="Zalando 215", fix="say x-trivium-api: layer/name, and keep the file at layer/name/vN.yaml")
def api_id(contract: Contract) -> Iterator[Violation]:
    said = contract.info.get("x-trivium-api")
    if not isinstance(said, str) or not _ID.fullmatch(said):
        yield Violation(contract.info, "the contract has no x-trivium-api of the form layer/name")
    elif contract.source.path is not None and "/" in contract.name and not contract.name.startswith(f"{said}/v"):
        yield Violation(contract.info.raw("x-trivium-api"), f"{said} is kept at {contract.name}")
