"""Each `{name}` in a path is a required path parameter, and each path parameter is in the path."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule


@rule("path-parameters", 4, see="Spectral path-params", fix="declare what the path names, with required: true, and nothing else")
def path_parameters(contract: Contract) -> Iterator[Violation]:
    for operation in contract.operations:
        declared = {str(one.get("name")): one for one in operation.parameters if one.get("in") == "path"}
        for name in operation.path_names:
            if name not in declared:
                yield Violation(operation.node, f"{operation.name} does not declare {name}")
        for name, parameter in declared.items():
            if name not in operation.path_names:
                yield Violation(parameter, f"{name} is not in the path {operation.path}")
            elif parameter.get("required") is not True:
                yield Violation(parameter, f"{name} must be required")
