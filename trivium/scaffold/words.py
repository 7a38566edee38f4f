"""What a new part is called, in every place it is named."""

import keyword
import re
from collections.abc import Mapping

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
SHORTEST, LONGEST = 3, 30  # letters; what is written of a longer one would not fit its lines
LAYERS = ("process", "experience", "system")


class CannotScaffold(ValueError):
    """Nothing was written; the message says what to change."""


def named(name: str) -> str:
    """The name itself. Raises CannotScaffold for one that is no name of a module."""
    fits = _NAME.fullmatch(name) and SHORTEST <= len(name) <= LONGEST
    if not fits or keyword.iskeyword(name) or keyword.iskeyword(name.removesuffix("s")):
        raise CannotScaffold(
            f"{name!r} is no name here: use lower-case letters, digits and single underscores, e.g. credit_notes"
        )
    return name


def api_named(api: str) -> tuple[str, str]:
    """Layer and name of process/credit_notes. Raises CannotScaffold."""
    layer, slash, name = api.partition("/")
    if not slash or layer not in LAYERS:
        raise CannotScaffold(f"{api!r} is no API: say its layer and its name, e.g. process/credit_notes ({', '.join(LAYERS)})")
    return layer, named(name)


def words(name: str, **more: str) -> Mapping[str, str]:
    """`@word@` in a template stands for the value of `word`.

    credit_notes: things credit_notes, thing credit_note, Things CreditNotes, Thing CreditNote, said "credit notes",
    path credit-notes, Said "Credit notes".
    """
    plural = name if name.endswith("s") else f"{name}s"
    single = plural[:-1]
    said = name.replace("_", " ")
    return {
        "name": name, "Name": _class(name), "things": plural, "thing": single, "Things": _class(plural), "Thing": _class(single),
        "said": said, "Said": said.capitalize(), "one": single.replace("_", " "), "path": plural.replace("_", "-"),
        "dashed": name.replace("_", "-"), **more,
    }  # fmt: skip


def filled(template: str, known: Mapping[str, str]) -> str:
    """Raises KeyError for a word that is not known: a template is never written half filled."""
    return re.sub(r"@([A-Za-z]+)@", lambda found: known[found[1]], template)


def _class(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
