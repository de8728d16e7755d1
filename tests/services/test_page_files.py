"""The page as it was built: compressed as the client likes, and kept for ever where its name has a hash."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

import web
from services.common.page_files import choose_coding, page_routes
from tests.support.rest import BASE

pytestmark = pytest.mark.anyio

HASHED = "assets/app-0123456789abcdef.js"


@asynccontextmanager
async def served(root: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=page_routes(root))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as http:
        yield http


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A folder as `scripts/web` makes it."""
    for name, text in {"index.html": "<p>built</p>", HASHED: "let built", "icons/rook.png": "a picture"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        if not name.endswith(".png"):
            (tmp_path / f"{name}.br").write_bytes(b"brotli of " + name.encode())
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "notes.md").write_text("stray")
    return tmp_path


async def test_the_built_files_are_served_and_nothing_else(page: Path) -> None:
    async with served(page) as http:
        assert (await http.get("/")).text == "<p>built</p>"
        assert (await http.get(f"/{HASHED}")).text == "let built"
        assert (await http.get("/icons/rook.png")).text == "a picture"
        for path in ("/index.html", "/notes.md", "/main.js", f"/{HASHED}.br"):
            assert (await http.get(path)).status_code == 404


async def test_a_name_with_a_hash_is_kept_and_others_are_revalidated(page: Path) -> None:
    async with served(page) as http:
        assert (await http.get(f"/{HASHED}")).headers["cache-control"] == "public, max-age=31536000, immutable"
        for path in ("/", "/icons/rook.png"):
            assert (await http.get(path)).headers["cache-control"] == "no-cache"


async def test_each_coding_is_a_representation_of_its_own(page: Path) -> None:
    async with served(page) as http:
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
        assert "vary" not in (await http.get("/icons/rook.png")).headers


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


def test_the_build_is_in_the_package() -> None:
    """Whether it is of these sources is the check `page` of scripts/lint, which builds anew."""
    built = Path(str(files(web) / "static"))
    html = (built / "index.html").read_text()
    names = [str(path.relative_to(built)) for path in built.rglob("*") if path.suffix in {".js", ".css", ".html"}]
    assert {"index.html", "sw.js"} < set(names)
    assert len([name for name in names if f'"./{name}"' in html]) >= 2
    for name in names:
        assert gzip.decompress((built / f"{name}.gz").read_bytes()) == (built / name).read_bytes()
        assert len((built / f"{name}.br").read_bytes()) < len((built / f"{name}.gz").read_bytes())
