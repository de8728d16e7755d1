"""Pages of the origins that may connect to the edge may call REST as well, and read its errors; others may not."""

from __future__ import annotations

import pytest

from chat.settings import EdgeSettings, LimitSettings, Settings
from tests.support.rest import Rest, open_rest

pytestmark = pytest.mark.anyio

OURS, THEIRS = "https://chat.example.org", "https://evil.example"


def settings(*origins: str) -> Settings:
    return Settings(edge=EdgeSettings(origins=origins), limits=LimitSettings(rate_limits=False))


async def ask(rest: Rest, origin: str, method: str = "POST", path: str = "/api/auth/login") -> dict[str, str]:
    """The headers of CORS in the answer to a preflight."""
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    asked["Access-Control-Request-Headers"] = "authorization, content-type"
    answer = await rest.http.options(path, headers=asked)
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("listed", [OURS, f"{OURS}/", OURS.upper()])
async def test_an_origin_on_the_list_may_log_in(listed: str) -> None:
    async with open_rest(settings=settings("http://other.example:8080", listed)) as rest:
        allowed = await ask(rest, OURS)
        assert allowed["access-control-allow-origin"] == OURS
        assert "POST" in allowed["access-control-allow-methods"]
        assert {"authorization", "content-type"} <= set(allowed["access-control-allow-headers"].lower().split(", "))
        ann = await rest.user("ann")
        body = {"name": "ann", "password": "a long password"}
        answer = await rest("POST", "/api/auth/login", body, headers={"Origin": OURS})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, OURS)
        assert "origin" in answer.headers["vary"].lower()
        assert (await ann("GET", "/api/rooms", headers={"Origin": OURS})).headers["access-control-allow-origin"] == OURS


async def test_every_method_of_rest_may_be_called() -> None:
    async with open_rest(settings=settings(OURS)) as rest:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            assert (await ask(rest, OURS, method, "/api/rooms"))["access-control-allow-origin"] == OURS


async def test_errors_can_be_read_and_tell_when_to_try_again() -> None:
    async with open_rest(settings=settings(OURS)) as rest:
        body = {"name": "nobody", "password": "a wrong password"}
        for method, path, given in (
            ("POST", "/api/auth/login", body),
            ("GET", "/nowhere", None),
            ("GET", "/api/rooms", None),
        ):
            answer = await rest(method, path, given, headers={"Origin": OURS})
            assert answer.status_code >= 400
            assert answer.headers["access-control-allow-origin"] == OURS
            assert "Retry-After" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", [THEIRS, "null", f"{OURS}.evil.example", "http://chat.example.org"])
async def test_other_origins_may_not(origin: str) -> None:
    async with open_rest(settings=settings(OURS)) as rest:
        assert "access-control-allow-origin" not in await ask(rest, origin)
        answer = await rest("GET", "/api/config", headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers


async def test_without_a_list_nothing_is_said() -> None:
    async with open_rest() as rest:
        assert await ask(rest, OURS) == {}
        answer = await rest("GET", "/api/config", headers={"Origin": OURS})
        assert "access-control-allow-origin" not in answer.headers


async def test_a_star_stands_for_every_origin() -> None:
    async with open_rest(settings=settings("*")) as rest:
        for origin in (OURS, THEIRS):
            assert (await ask(rest, origin))["access-control-allow-origin"] in ("*", origin)
