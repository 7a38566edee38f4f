"""A new API: models, port, endpoints, answers to begin with, tests, and its place in the composition root."""

from trivium.scaffold.tree import Tree
from trivium.scaffold.words import api_named, words

COMPOSE = "gateway/compose.py"
PROCESS_APIS = r"^def _process_apis\(.*\n    return \[\n(        )"


def new_api(tree: Tree, api: str, team: str) -> None:
    """Raises CannotScaffold."""
    layer, name = api_named(api)
    known = words(name, layer=layer, team=team)
    tree.copy("api", known)
    served = f"{name}_api(Known{known['Things']}({{}}))"
    match layer:
        case "experience":
            tree.replace(
                COMPOSE, r"(?<=[^_])_experience_api\((processes|remote_processes\(house\))\)(?=[\],])", rf"\g<0>, {served}"
            )
            tree.replace(COMPOSE, r"^(\s*)(sales_desk_api\(absent.*,)$", rf"\1\2\n\1{served},")
        case "system":
            tree.replace(COMPOSE, r"^    return \[crm_api\(systems\), ", rf"\g<0>{served}, ")
        case _:
            tree.replace(COMPOSE, PROCESS_APIS, rf"\g<0>{served},\n\1")
    for line in (f"known import Known{known['Things']}", f"v1 import {name}_api"):
        tree.imported(COMPOSE, f"from {layer}_apis.{name}.{line}")
