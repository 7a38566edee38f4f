"""What of an operation's inputs can be checked is checked; what cannot passes as it is, and is said so."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway import parameters
from gateway.inputs import is_json
from gateway.schemas import Document, Unresolvable, Wire
from gateway.violations import Unusable, compiled

_NAMED = re.compile(r"\{([^{}/]+)\}")
_NAME, _STRANGE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*"), re.compile(r"[^A-Za-z0-9_]")
OPEN = "x-trivium-query"  # `open`: parameters that no contract names pass
Note = Callable[[str], None]


@dataclass
class Inputs:
    """Of one operation, made checkable. `renamed`: path parameters whose names no template of ours can have."""

    parameters: list[dict[str, Any]] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    open: bool = False


def checkable(document: Document, path: str, listed: list[Any], note: Note) -> Inputs:
    """Later parameters replace earlier ones of the same name and place; those of the path are the ones that the path names."""
    found, inputs = dict[tuple[str, str], Wire](), Inputs()
    for entry in listed:
        said = document.follow(entry)
        found[str(said.get("name")), str(said.get("in"))] = said
    named = set(_NAMED.findall(path))
    for name in sorted(named - {name for name, place in found if place == "path"}):
        note(f"the path parameter {name} passes unchecked: it is not described")
        found[name, "path"] = {"required": True}
    for (name, place), said in found.items():
        if place not in ("path", "query", "header") or (place == "path" and name not in named):
            continue
        own = name
        if place == "path" and not _NAME.fullmatch(name):
            inputs.renamed[name] = own = "p_" + _STRANGE.sub("_", name)
        schema, reason = _schema(document, said, place)
        if reason == _SPREAD:
            inputs.open = True
            note(f"the parameter {name} spreads over names that are not known before: any query passes")
            continue
        if reason:
            note(f"the {place} parameter {name} passes unchecked: {reason}")
        inputs.parameters.append({"name": own, "in": place, "required": bool(said.get("required")), "schema": schema})
    return inputs


_SPREAD = "its members are parameters of their own"
_USUAL = {"path": "simple", "query": "form", "header": "simple"}


def _schema(document: Document, said: Wire, place: str) -> tuple[Any, str]:
    """What its text is checked by, and why by nothing. That its members become parameters is a reason of its own."""
    style = said.get("style", _USUAL[place])
    try:
        schema = document.standalone(said.get("schema", {}))
        compiled(schema)
    except (Unresolvable, Unusable) as error:
        return {}, f"its schema cannot be used ({error})"
    kinds = parameters.types(schema)
    if "content" in said:
        return {}, "it is a document of its own"
    if place == "query" and "object" in kinds and (style == "deepObject" or (style == "form" and said.get("explode", True))):
        return {}, _SPREAD
    if style != _USUAL[place] or "object" in kinds:
        return {}, f"its style ({style}) is not one that is taken apart"
    if "array" in kinds and (place == "path" or (place == "query" and said.get("explode") is False)):
        return {}, "it is a list in one text"
    if said.get("allowEmptyValue"):
        return {}, "it may be empty"
    return said.get("schema", {}), ""


def body(document: Document, said: Any, note: Note) -> dict[str, Any]:
    """The request body; of several JSON forms none is checked, since it is not known before which one comes."""
    wanted = document.follow(said)
    content = {media.lower(): dict(document.follow(what)) for media, what in (wanted.get("content") or {"*/*": {}}).items()}
    forms = {media: what.get("schema") for media, what in content.items() if is_json(media) and "schema" in what}
    for reason in _unchecked(document, forms):
        note(f"its body passes unchecked: {reason}")
        for media in forms:
            del content[media]["schema"]
        break
    return {"required": bool(wanted.get("required")), "content": content}


def _unchecked(document: Document, forms: dict[str, Any]) -> Iterator[str]:
    if any(form != next(iter(forms.values())) for form in forms.values()):
        yield f"{', '.join(forms)} differ in what they are"
    for form in forms.values():
        try:
            compiled(document.standalone(form))
        except (Unresolvable, Unusable) as error:
            yield f"its schema cannot be used ({error})"
