"""The page as it was built: compressed as the client likes, kept for ever by its name, and never of other sources."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

import web
from services.common.page_files import choose_coding, is_current, page_routes
from tests.support.rest import BASE

pytestmark = pytest.mark.anyio

SOURCES = {"css/a.css": "a{}", "index.html": "<p>sources</p>", "js/main.js": "let main", "js/views/z.js": "let z"}
HASHED = "app-0123456789abcdef.js"


@asynccontextmanager
async def served(root: Path, built: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=page_routes(root, built))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as http:
        yield http


@pytest.fixture
def page(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of sources, and what was built of them."""
    root, built = tmp_path / "static", tmp_path / "built"
    digest = hashlib.sha256()
    for name, text in {**SOURCES, "icons/rook.svg": "<svg/>"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name, text in SOURCES.items():
        digest.update(f"{name}\n{len(text)}\n{text}".encode())
    built.mkdir()
    (built / "sources.txt").write_text(digest.hexdigest() + "\n")
    for name, text in {"index.html": "<p>built</p>", HASHED: "let built"}.items():
        (built / name).write_text(text)
        (built / f"{name}.br").write_bytes(b"brotli of " + name.encode())
        (built / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    return root, built


async def test_what_was_built_takes_the_place_of_the_sources(page: tuple[Path, Path]) -> None:
    async with served(*page) as http:
        assert (await http.get("/")).text == "<p>built</p>"
        assert (await http.get(f"/{HASHED}")).text == "let built"
        assert (await http.get("/icons/rook.svg")).text == "<svg/>"
        for path in ("/js/main.js", "/css/a.css", "/sources.txt", f"/{HASHED}.br"):
            assert (await http.get(path)).status_code == 404


@pytest.mark.parametrize("name", [*SOURCES, "js/views/new.js"])
async def test_sources_that_changed_since_are_served_themselves(page: tuple[Path, Path], name: str) -> None:
    root, _ = page
    (root / name).write_text("changed")
    async with served(*page) as http:
        assert (await http.get("/" if name == "index.html" else f"/{name}")).text == "changed"
        assert (await http.get(f"/{HASHED}")).status_code == 404


async def test_a_name_with_a_hash_is_kept_and_others_are_revalidated(page: tuple[Path, Path]) -> None:
    async with served(*page) as http:
        assert (await http.get(f"/{HASHED}")).headers["cache-control"] == "public, max-age=31536000, immutable"
        for path in ("/", "/icons/rook.svg"):
            assert (await http.get(path)).headers["cache-control"] == "no-cache"


async def test_each_coding_is_a_representation_of_its_own(page: tuple[Path, Path]) -> None:
    async with served(*page) as http:
        tags = {}
        for coding in ("br", "gzip", "identity"):
            async with http.stream("GET", f"/{HASHED}", headers={"Accept-Encoding": coding}) as answer:
                raw = b"".join([chunk async for chunk in answer.aiter_raw()])
            assert answer.headers.get("content-encoding", "identity") == coding
            assert answer.headers["vary"] == "Accept-Encoding"
            assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
            assert int(answer.headers["content-length"]) == len(raw)
            tags[coding] = answer.headers["etag"]
            if coding == "br":
                assert raw == b"brotli of " + HASHED.encode()
        assert len(set(tags.values())) == 3
        for coding, tag in tags.items():
            for other in tags:
                again = await http.get(f"/{HASHED}", headers={"Accept-Encoding": other, "If-None-Match": tag})
                assert again.status_code == (304 if other == coding else 200)
        assert "vary" not in (await http.get("/icons/rook.svg")).headers


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "br"),
        ("GZIP", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br; q=0.0,gzip ; q=0", ""),
        ("*", "br"),
        ("*;q=0, gzip", "gzip"),
        ("identity", ""),
        ("deflate, zstd", ""),
        ("", ""),
        ("br;q=much", ""),
        (";;,,br;", "br"),
    ],
)
def test_which_coding_a_client_gets(accepted: str, coding: str) -> None:
    assert choose_coding(accepted) == coding


def test_without_the_note_of_the_sources_nothing_built_is_served(page: tuple[Path, Path]) -> None:
    root, built = page
    sources = {name: root / name for name in SOURCES}
    assert is_current(sources, built)
    (built / "sources.txt").unlink()
    assert not is_current(sources, built)


def test_the_build_is_in_the_package() -> None:
    """Whether it is current is the check `page` of scripts/lint, which builds anew."""
    built = files(web) / "built"
    names = [entry.name for entry in built.iterdir()]
    assert "index.html" in names
    html = (built / "index.html").read_text()
    scripts = [name for name in names if name.endswith((".js", ".css"))]
    assert len(scripts) == 3
    for name in scripts:
        assert f'"{name}"' in html or name == "sw.js"
        assert gzip.decompress((built / f"{name}.gz").read_bytes()) == (built / name).read_bytes()
        assert len((built / f"{name}.br").read_bytes()) < len((built / f"{name}.gz").read_bytes())
