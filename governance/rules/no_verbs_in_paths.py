"""A path names things; what is done to them is the method's business."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

VERBS = frozenset(
    {
        "get", "list", "create", "add", "make", "update", "change", "set", "put", "delete", "remove", "do", "run", "execute",
        "find", "search", "fetch",
        "send", "submit", "cancel", "approve", "reject", "validate", "check", "calculate", "process", "sync",
        "retry", "start", "stop",
    }
)  # fmt: skip
_LAYERS = frozenset({"process"})  # the name of a layer, where it comes first


@rule(
    "no-verbs-in-paths", 22, see="Zalando 141; Redocly no-http-verbs-in-paths", fix="name the thing: /validations, not /validate"
)
def no_verbs_in_paths(contract: Contract) -> Iterator[Violation]:
    for path, item in contract.root.at("paths").items():
        for index, segment in enumerate(path.split("/")[1:]):
            verb = segment.split("-")[0]
            if verb in VERBS and not (index == 0 and segment in _LAYERS):
                yield Violation(item, f"{segment} in {path} is something one does")
