"""The logo of the instance: who sets it, what may be one, and how it is served."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from chat.domain.logo import LOGO_BYTES
from chat.domain.models import InstanceRole
from tests.support.logos import make_jpeg, make_png, make_webp
from tests.support.rest import Rest, User, open_rest
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio
LOGO = "/api/instance/logo"


async def make_owner(rest: Rest) -> User:
    owner = await rest.user("olga")
    await rest.services.accounts.set_instance_role(owner.id, InstanceRole.OWNER)
    return owner


async def upload(user: User, content: Any, media_type: str = "image/png", **headers: str) -> httpx.Response:
    return await user("PUT", LOGO, content=content, headers={"Content-Type": media_type, **headers})


async def read_address(rest: Rest) -> Any:
    return (await rest("GET", "/api/config")).json()["logo"]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(make_png(), "image/png"), (make_jpeg(), "image/jpeg"), (make_webp(), "Image/WebP; x=1")],
)
async def test_everybody_sees_the_logo_that_an_owner_has_set(content: bytes, media_type: str) -> None:
    async with open_rest() as rest:
        owner = await make_owner(rest)
        assert await read_address(rest) is None
        answer = await upload(owner, content, media_type)
        assert answer.status_code == 200, answer.text
        address = answer.json()["logo"]
        assert await read_address(rest) == (await owner("GET", "/api/instance")).json()["logo"] == address
        shown = await rest("GET", address)
        assert (shown.status_code, shown.content) == (200, content)
        assert shown.headers["content-type"] == media_type.partition(";")[0].lower()


async def test_a_logo_is_kept_for_ever_and_runs_nothing() -> None:
    async with open_rest() as rest:
        address = (await upload(await make_owner(rest), make_png())).json()["logo"]
        shown = await rest("GET", address)
        expected = {
            "cache-control": "public, max-age=31536000, immutable",
            "content-security-policy": "default-src 'none'; sandbox",
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin",
            "etag": f'"{address.rpartition("/")[2]}"',
        }
        assert {name: shown.headers[name] for name in expected} == expected
        for tag in (expected["etag"], f'"other", W/{expected["etag"]}'):
            kept = await rest("GET", address, headers={"If-None-Match": tag})
            assert (kept.status_code, kept.content, kept.headers["etag"]) == (304, b"", expected["etag"])
        assert (await rest("GET", address, headers={"If-None-Match": '"other"'})).status_code == 200


async def test_a_logo_that_was_replaced_or_taken_away_has_no_address() -> None:
    async with open_rest() as rest:
        owner = await make_owner(rest)
        first = (await upload(owner, make_png())).json()["logo"]
        second = (await upload(owner, make_png(64, 64))).json()["logo"]
        assert await read_address(rest) == second != first
        old = await rest("GET", first, headers={"If-None-Match": f'"{first.rpartition("/")[2]}"'})
        assert (old.status_code, old.json()["code"]) == (404, "not_found")
        for _ in range(2):
            assert (await owner("DELETE", LOGO)).status_code == 204
        assert await read_address(rest) is None
        assert (await rest("GET", second)).status_code == 404
        entries = (await owner("GET", "/api/moderation/audit")).json()["entries"]
        assert {(entry["by"], entry["action"], entry["reason"]) for entry in entries} == {
            (owner.id, "setting", "the instance: another logo, 96 by 64 pixels"),
            (owner.id, "setting", "the instance: another logo, 64 by 64 pixels"),
            (owner.id, "setting", "the instance: no logo any more"),
        }
        assert len(entries) == 3


async def test_a_logo_stays_when_the_other_settings_change() -> None:
    async with open_rest() as rest:
        owner = await make_owner(rest)
        address = (await upload(owner, make_png())).json()["logo"]
        known = (await owner("GET", "/api/instance")).json()
        assert known["revision"] == 0
        changed = await owner("PUT", "/api/instance", {**known, "name": "Team", "logo": None})
        assert (changed.json()["logo"], changed.json()["name"]) == (address, "Team")


async def test_only_owners_set_a_logo_or_take_it_away() -> None:
    async with open_rest(settings=make_settings(rate_limits=False, moderators=("mia",))) as rest:
        for user in (await rest.user("mia"), await rest.user("ann")):
            assert (await upload(user, make_png())).status_code == 403
            assert (await user("DELETE", LOGO)).status_code == 403
        nobody = await rest("PUT", LOGO, content=make_png(), headers={"Content-Type": "image/png"})
        assert nobody.status_code == (await rest("DELETE", LOGO)).status_code == 401
        assert await read_address(rest) is None


@pytest.mark.parametrize(
    ("content", "media_type", "status", "says"),
    [
        (b"<svg/>", "image/svg+xml", 415, "SVG is not taken"),
        (make_png(), "application/json", 415, "image/png, image/jpeg, image/webp"),
        (make_png(), "", 415, "image/png"),
        (b"<svg/>", "image/png", 422, "SVG is not taken"),
        (b"", "image/png", 422, "none of PNG"),
        (make_png(), "image/webp", 422, "is image/png, and not image/webp"),
        (make_png(63, 64), "image/png", 422, "63 by 64 pixels"),
        (make_png(500, 64), "image/png", 422, "500 by 64 pixels"),
        (make_png()[:-1], "image/png", 422, "cut off"),
        (make_png() + b"<script>", "image/png", 422, "damaged"),
    ],
)
async def test_what_cannot_be_a_logo_is_refused_by_its_field(
    content: bytes, media_type: str, status: int, says: str
) -> None:
    async with open_rest() as rest:
        answer = await upload(await make_owner(rest), content, media_type)
        assert (answer.status_code, answer.json()["field"]) == (status, "logo")
        assert says in answer.json()["detail"]
        assert await read_address(rest) is None


async def test_a_logo_that_is_too_large_is_refused_by_its_field() -> None:
    async with open_rest() as rest:
        answer = await upload(await make_owner(rest), bytes(LOGO_BYTES + 1))
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (413, "too_long", "logo")
        assert str(LOGO_BYTES) in answer.json()["detail"]


async def test_other_calls_take_no_pictures() -> None:
    async with open_rest() as rest:
        owner = await make_owner(rest)
        for method, path in (("PUT", "/api/instance"), ("DELETE", LOGO), ("POST", LOGO)):
            answer = await owner(method, path, content=make_png(), headers={"Content-Type": "image/png"})
            assert answer.status_code == 415
