"""Files that pages are made with: ours, and those of Swagger UI and Redoc as `fastapi-offline` brings them."""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from console.rendering import FOLDER, security_headers
from console.session import PLACE
from kernel.problem import NotFound

_MEDIA = {
    ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png", ".svg": "image/svg+xml",
}  # fmt: skip
FOREIGN = ("swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js")


@dataclass(frozen=True)
class Asset:
    content: bytes
    media: str
    etag: str


class Assets:
    """Read once. `viewers`: whether Swagger UI and Redoc are installed."""

    def __init__(self) -> None:
        ours = {file.name: file for file in sorted((FOLDER / "static").iterdir()) if file.suffix in _MEDIA}
        theirs = _foreign()
        self.viewers = len(theirs) == len(FOREIGN)
        self._found = {name: _read(file) for name, file in {**ours, **theirs}.items()}

    @property
    def addresses(self) -> dict[str, str]:
        return {name: f"{PLACE}/static/{name}?v={asset.etag[1:13]}" for name, asset in self._found.items()}

    async def serve(self, request: Request) -> Response:
        asset = self._found.get(request.path_params["name"])
        if asset is None:
            raise NotFound("there is no such file")
        known = request.query_params.get("v") == asset.etag[1:13]
        kept = "public, max-age=31536000, immutable" if known else "public, no-cache"
        headers = security_headers() | {"ETag": asset.etag, "Cache-Control": kept}
        if asset.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(asset.content, headers=headers, media_type=asset.media)


def _foreign() -> dict[str, Path]:
    spec = find_spec("fastapi_offline")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    files = [Path(folder) / "static" / name for folder in folders for name in FOREIGN]
    return {file.name: file for file in files if file.is_file()}


def _read(file: Path) -> Asset:
    content = file.read_bytes()
    return Asset(content, _MEDIA[file.suffix], f'"{hashlib.sha256(content).hexdigest()[:32]}"')
