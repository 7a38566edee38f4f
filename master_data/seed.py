"""Mappings from a TOML file, taken in once: `[[mappings]]` with kind, source, target, valid_from and, unless any, connection."""

import tomllib
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from contracts.models.master_data import NewMapping
from kernel.settings import BadSettings
from master_data.mappings import MappingBook


def read_mappings(file: Path) -> list[NewMapping]:
    """The mappings of a file; raises BadSettings saying what cannot be used."""
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        return TypeAdapter(list[NewMapping]).validate_python(said.get("mappings", []))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadSettings(f"the mappings file {file} cannot be used: {error}") from None


async def seed_mappings(book: MappingBook, wanted: list[NewMapping], author: str = "mappings file") -> int:
    """Adds those that are not on record yet; what people have changed since stays changed. Returns how many it added."""
    known = {(m.kind, m.connection, m.source, m.valid_from) for m in await book.list()}
    fresh = [new for new in wanted if (new.kind, new.connection, new.source, new.valid_from) not in known]
    for new in fresh:
        await book.add(new, author)
    return len(fresh)
