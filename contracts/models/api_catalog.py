"""The catalog of APIs as programs read it: what there is, what a search finds, who calls whom, what changed."""

from typing import Annotated

from pydantic import Field

from contracts.models.base import Model

Word = Annotated[str, Field(min_length=1, max_length=255)]
Said = Annotated[str, Field(max_length=4000)]
ApiKey = Annotated[str, Field(min_length=4, max_length=255, examples=["process/quotes/v1"])]
Place = Annotated[str, Field(min_length=1, max_length=1000, description="Path of its page on this gateway")]


class ApiOperation(Model):
    """One operation; `scopes` are all needed."""

    id: Word
    method: Annotated[str, Field(min_length=3, max_length=10)]
    path: Annotated[str, Field(min_length=1, max_length=1000)]
    summary: Said
    scopes: Annotated[list[Word], Field(max_length=100)]
    page: Place


class ApiEntry(Model):
    """One major version of an API. `lint`: of 100. `published`: the version whose evidence is for this very promise."""

    key: ApiKey
    title: Word
    version: Word
    description: Said
    layer: Word
    domain: Word
    owner: Word
    lifecycle: Word
    audience: Word
    slo: Said
    classification: Word
    lint: Annotated[int, Field(ge=0, le=100)]
    tests: Said | None = None
    published: Word | None = None
    digest: Word
    operations: Annotated[list[ApiOperation], Field(max_length=2000)]
    page: Place


class ApiEntries(Model):
    """By layer and key; `next` is the cursor of the following page."""

    items: Annotated[list[ApiEntry], Field(max_length=50)]
    next: Annotated[str, Field(max_length=255)] | None = None


class CatalogResult(Model):
    """Something with a name: an api, operation, event, schema or field."""

    kind: Word
    name: Word
    key: ApiKey
    text: Said
    page: Place


class CatalogResults(Model):
    """The best first."""

    items: Annotated[list[CatalogResult], Field(max_length=100)]


class Dependency(Model):
    """`source` calls `to`: `app:` stands before an application, `at:` before a connected account, any other is an API."""

    source: Word
    to: Word
    operations: Annotated[list[Word], Field(max_length=1000)]
    kind: Word


class Dependencies(Model):
    items: Annotated[list[Dependency], Field(max_length=10_000)]


class ApiChange(Model):
    """One thing that a release changed, under the id of its kind; `severity`: error, warning or info."""

    id: Word
    severity: Word
    operation: Annotated[str, Field(max_length=1000)]
    sentence: Said


class ApiRelease(Model):
    """What one release changed since the one before it."""

    key: ApiKey
    version: Word
    since: Word | None = None
    at: Word
    changes: Annotated[list[ApiChange], Field(max_length=1000)]


class ApiReleases(Model):
    """The latest first."""

    items: Annotated[list[ApiRelease], Field(max_length=100)]
