"""What lint and comparison find, for people, pipelines and editors: text, JSON, SARIF, JUnit, GitHub annotations, Markdown."""

from collections.abc import Callable, Mapping, Sequence

from governance.reports.entry import Entry
from governance.reports.github import github
from governance.reports.json import as_json
from governance.reports.junit import junit
from governance.reports.markdown import markdown
from governance.reports.sarif import sarif
from governance.reports.text import text

FORMATS: Mapping[str, Callable[[Sequence[Entry]], str]] = {
    "text": text,
    "json": as_json,
    "sarif": sarif,
    "junit": junit,
    "github": github,
    "markdown": markdown,
}
