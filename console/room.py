"""What every page has in common: who reads, their part of the catalog, the template, and what was rendered before."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from console.assets import Assets
from console.desk import Desk
from console.rendering import Rendered, answer, environment, page
from console.session import Visit, forget, visit
from governance.catalog.catalog import Catalog, Listed
from kernel.problem import NotFound

Make = Callable[[Catalog, Request], Mapping[str, Any]]
_LONGEST = 400  # letters of a query that is worth remembering


class Room:
    def __init__(self, desk: Desk, assets: Assets) -> None:
        self.desk, self.assets = desk, assets
        self._templates, self._rendered = environment(assets.addresses), Rendered()

    async def open(self, request: Request) -> tuple[Visit, Catalog]:
        """Raises Unauthorized for a bad token in the header."""
        visiting = await visit(self.desk, request)
        whole = await self.desk.catalog()
        return visiting, await asyncio.to_thread(whole.seen_by, visiting.reader)

    async def show(self, request: Request, template: str, make: Make, *, foreign_styles: bool = False) -> Response:
        """The page, from memory where the same was shown to the like before. Raises NotFound as `make` does."""
        visiting, catalog = await self.open(request)
        key = (request.url.path, str(request.query_params), visiting.reader, bool(visiting.client))
        found = self._rendered.find(key)
        if found is None:
            values = await asyncio.to_thread(make, catalog, request)
            found = page(self.rendered(template, visiting, **values))
            if len(key[1]) <= _LONGEST:
                self._rendered.keep(key, found)
        response = answer(request, found, foreign_styles=foreign_styles)
        return forget(response, self.desk) if visiting.stale else response

    def rendered(self, template: str, visiting: Visit, **values: Any) -> str:
        return self._templates.get_template(template).render(
            reader=visiting.reader, signed_in=bool(visiting.client), sandbox=self.desk.issue is not None,
            login=self.desk.login is not None, viewers=self.assets.viewers, base=self.desk.url, **values,
        )  # fmt: skip


def listed_in(catalog: Catalog, request: Request) -> Listed:
    """The API that the path names. Raises NotFound for one that this reader does not see, too."""
    said = request.path_params
    key = f"{said['layer']}/{said['name']}/{said['major']}"
    if key not in catalog.apis:
        raise NotFound(f"the catalog has no {key} for you", fix="sign in, if it is not public")
    return catalog.apis[key]
