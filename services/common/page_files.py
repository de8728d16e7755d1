"""Serves the web page, from memory: what `scripts/web` built into `web/static`, each file as the client likes it coded.

Names that hold a hash of the file's content are kept by browsers for ever. All other files are revalidated by their
ETag.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import cache
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
_CODINGS = {"br": "br", "gzip": "gz"}  # the best one first; names of RFC 9110, section 8.4.1, and of files
_HASHED = re.compile(r"-[0-9a-f]{16}\.")
_REVALIDATE = "no-cache"
_KEEP = "public, max-age=31536000, immutable"


@dataclass
class _File:
    """A file of the page, plain and in other codings."""

    media_type: str
    cache_control: str
    plain: bytes
    coded: dict[str, bytes] = field(default_factory=dict)


def page_routes(root: Traversable | None = None) -> list[Route]:
    """A route for each file of the page, and `/` for index.html.

    `root` is the folder of the built page, by default `web/static`, which a process reads once. Only files of the types
    above are served, so a stray file in the folder is not published.
    """
    return _list_routes(root) if root else _list_own_routes()


@cache
def _list_own_routes() -> list[Route]:
    return _list_routes(files(web) / "static")


def _list_routes(root: Traversable) -> list[Route]:
    if not root.is_dir():
        return []
    return [_make_route(name, _read_file(name, file, root)) for name, file in _list_files(root, "")]


def choose_coding(accept_encoding: str) -> str:
    """The best coding that the client takes, of those that we have; empty for none (RFC 9110, section 12.5.3)."""
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        name, _, weight = part.partition(";")
        try:
            weights[name.strip()] = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            weights[name.strip()] = 0.0
    return next((coding for coding in _CODINGS if weights.get(coding, weights.get("*", 0.0)) > 0), "")


def _suffix(name: str) -> str:
    return name.rpartition(".")[2]


def _list_files(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _list_files(entry, f"{prefix}{entry.name}/")
        elif _suffix(entry.name) in _TYPES:
            found.append((prefix + entry.name, entry))
    return found


def _read_file(name: str, file: Traversable, root: Traversable) -> _File:
    found = _File(_TYPES[_suffix(name)], _KEEP if _HASHED.search(name) else _REVALIDATE, file.read_bytes())
    for coding, suffix in _CODINGS.items():
        coded = root / f"{name}.{suffix}"
        if coded.is_file():
            found.coded[coding] = coded.read_bytes()
    return found


def _make_route(name: str, file: _File) -> Route:
    digest = hashlib.sha256(file.plain).hexdigest()[:32]

    async def serve_file(request: Request) -> Response:
        coding = choose_coding(request.headers.get("accept-encoding", "")) if file.coded else ""
        # Each coding is another representation, so it has another tag (RFC 9110, section 8.8.3.3).
        tag = f'"{digest}-{coding}"' if coding else f'"{digest}"'
        headers = {"ETag": tag, "Cache-Control": file.cache_control}
        if file.coded:
            headers["Vary"] = "Accept-Encoding"
        known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
        if tag in known:
            return Response(status_code=304, headers=headers)  # RFC 9110, section 13.1.2
        if coding:
            headers["Content-Encoding"] = coding
        return Response(file.coded.get(coding, file.plain), headers=headers, media_type=file.media_type)

    folder, _, last = name.rpartition("/")
    path = f"/{folder}/" if folder and last == "index.html" else "/" if last == "index.html" else f"/{name}"
    return Route(path, serve_file, methods=["GET"], include_in_schema=False)
