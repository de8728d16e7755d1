"""Serves the web page: the files of `web/static`, kept in memory; browsers revalidate them by their ETag."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import web

_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/vnd.microsoft.icon",
    "woff2": "font/woff2",
    "json": "application/json",
    "webmanifest": "application/manifest+json",
    "txt": "text/plain; charset=utf-8",
}


def page_routes(root: Traversable | None = None) -> list[Route]:
    """A route for each file under `root` (default: `web/static`), and `/` for index.html.

    Only files of the types above are served, so a stray file in the folder is not published.
    """
    root = root or files(web) / "static"
    return [_make_route(path, file) for path, file in _list_files(root, "/")] if root.is_dir() else []


def _list_files(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _list_files(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _TYPES:
            found.append((prefix if entry.name == "index.html" else prefix + entry.name, entry))
    return found


def _make_route(path: str, file: Traversable) -> Route:
    content = file.read_bytes()
    media_type = _TYPES[file.name.rpartition(".")[2]]
    headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"', "Cache-Control": "no-cache"}

    async def serve_file(request: Request) -> Response:
        known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
        if headers["ETag"] in known:
            return Response(status_code=304, headers=headers)  # RFC 9110, section 13.1.2
        return Response(content, headers=headers, media_type=media_type)

    return Route(path, serve_file, methods=["GET"], include_in_schema=False)
