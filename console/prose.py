"""Descriptions as contracts have them: paragraphs, and code between backticks. Whatever else is in them stays plain text."""

import re

from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`\n]+)`")


def prose(text: object) -> Markup:
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", str(text).strip()) if part.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(_inline(part)) for part in paragraphs)


def _inline(text: str) -> Markup:
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(_CODE.split(text))
    )
