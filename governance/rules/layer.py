"""A contract stands in a layer, and calls only what lies below: experience → process → system."""

from collections.abc import Iterator

from governance.contract import Contract
from governance.lint.rule import Violation, rule

LAYERS = ("experience", "process", "system")  # each calls those after it
BESIDE = ("ops",)  # calls nobody below


@rule(
    "layer", 16, see="docs: layers never import each other", fix="say x-trivium-layer, and in x-trivium-calls only APIs below it"
)
def layer(contract: Contract) -> Iterator[Violation]:
    if contract.layer not in (*LAYERS, *BESIDE):
        yield Violation(contract.info, f"the layer is {contract.layer or 'not said'}, not {', '.join((*LAYERS, *BESIDE))}")
        return
    below = LAYERS[LAYERS.index(contract.layer) + 1 :] if contract.layer in LAYERS else LAYERS[1:]
    for owner in (contract.info, *(operation.node for operation in contract.operations)):
        for called in owner.raw("x-trivium-calls").elements():
            if str(called.value).partition("/")[0] not in below:
                yield Violation(called, f"{contract.layer} may not call {called.value}")
