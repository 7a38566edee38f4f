"""What changed, as an Atom feed (RFC 4287): an entry for each release, with whom it breaks."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from console.session import PLACE
from governance.catalog.history import Change
from governance.catalog.naming import api_page

ATOM = "http://www.w3.org/2005/Atom"
MEDIA = "application/atom+xml"
MOST = 100


def feed(changes: Sequence[Change], base: str) -> bytes:
    """Of what is published; a draft is no news."""
    told = [change for change in changes if change.at][:MOST]
    root = Element("feed", xmlns=ATOM)
    _text(root, "title", "API changes")
    _text(root, "id", f"{base}{PLACE}/changes")
    _text(root, "updated", told[0].at if told else "1970-01-01T00:00:00Z")
    SubElement(root, "link", rel="self", href=f"{base}{PLACE}/changes.atom")
    SubElement(root, "link", rel="alternate", href=f"{base}{PLACE}/changes")
    for change in told:
        _entry(root, change, base)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _entry(root: Element, change: Change, base: str) -> None:
    entry, page = SubElement(root, "entry"), f"{base}{PLACE}/{api_page(change.key)}"
    _text(entry, "title", f"{change.title} {change.version}")
    _text(entry, "id", f"{page}#{change.version}")
    _text(entry, "updated", change.at)
    author = SubElement(entry, "author")
    _text(author, "name", change.key)
    SubElement(entry, "link", rel="alternate", href=f"{page}/versions")
    _text(entry, "content", in_words(change))


def in_words(change: Change) -> str:
    if not change.since:
        return "The first release."
    lines = [f"Since {change.since}:"]
    for heading, found in change.groups:
        lines += [f"{heading}:", *(f"- {one.operation or 'the contract'}: {one.sentence}" for one in found)]
    return "\n".join(lines if change.groups else [f"Nothing changed for anybody since {change.since}."])


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text
