"""What a user may call in a time, over REST."""

from __future__ import annotations

import msgspec
import pytest

from chat.settings import LimitSettings
from services.app import make_openapi
from services.common.budgets import DAY, READS, ROOMS, SEARCHES, TABLE, WRITES, find_budget
from tests.support.rest import User, open_rest
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio


async def make_rooms(user: User, count: int) -> list[int]:
    """The statuses of so many attempts to make a room."""
    return [(await user("POST", "/api/rooms", {"name": f"room {number}"})).status_code for number in range(count)]


def test_every_row_of_the_table_is_a_route_and_every_bound_a_setting() -> None:
    paths = make_openapi()["paths"]
    for (method, path), budget in TABLE.items():
        assert method.lower() in paths[path], (method, path)
        assert budget.bounds.keys() <= {field.name for field in msgspec.structs.fields(LimitSettings)}


def test_every_call_that_needs_a_log_in_has_a_budget() -> None:
    for path, operations in make_openapi()["paths"].items():
        for method, operation in operations.items():
            if "security" in operation:
                budget = find_budget(method.upper(), path)
                assert budget.changes is (method != "get" and path != "/api/presence"), (method, path)
                assert "429" in operation["responses"]
    assert find_budget("GET", "/api/dms") is READS
    assert find_budget("HEAD", "/api/search") is SEARCHES
    assert find_budget("PATCH", "/api/rooms/{room}") is WRITES
    assert find_budget("POST", "/api/rooms") is ROOMS


async def test_rooms_have_a_rate_and_a_bound_of_the_day_for_each_user() -> None:
    async with open_rest(settings=make_settings(rooms_per_minute=3, rooms_per_day=5, token_seconds=24 * 3600)) as rest:
        ann, bob = await rest.user(), await rest.user()
        assert await make_rooms(ann, 4) == [201] * 3 + [429]
        assert await make_rooms(bob, 1) == [201]
        rest.clock.now += 60_000
        assert await make_rooms(ann, 3) == [201] * 2 + [429]
        rest.clock.now += 3_600_000
        answer = await ann("POST", "/api/rooms", {"name": "one more"})
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert "5 times in a day" in answer.json()["detail"]
        assert int(answer.headers["Retry-After"]) == int(DAY) - 3600 - 60


@pytest.mark.parametrize(
    ("setting", "method", "path", "status"),
    [
        ("reads_per_minute", "GET", "/api/rooms", 200),
        ("searches_per_minute", "GET", "/api/search?q=word", 200),
        ("writes_per_minute", "PATCH", "/api/rooms/{room}", 422),
        ("invites_per_minute", "POST", "/api/rooms/{room}/invites", 201),
        ("invites_per_minute", "POST", "/api/invites/unknown", 404),
        ("member_changes_per_minute", "POST", "/api/rooms/{room}/join", 200),
        ("member_changes_per_minute", "DELETE", "/api/rooms/{room}/members/{other}", 404),
        ("member_changes_per_minute", "PUT", "/api/rooms/{room}/bans/{other}", 204),
    ],
)
async def test_each_kind_of_call_has_a_rate_of_its_own(setting: str, method: str, path: str, status: int) -> None:
    async with open_rest(settings=make_settings(**{setting: 2})) as rest:
        ann, other = await rest.user(), await rest.user()
        where = path.format(room=await ann.room(), other=other.id)
        rest.clock.now += 60_000
        statuses = [(await ann(method, where, {} if method == "PATCH" else None)).status_code for _ in range(3)]
        assert statuses == [status, status, 429]
        assert (await ann("GET", "/api/dms")).status_code == (429 if setting == "reads_per_minute" else 200)
        assert (await other("GET", "/api/dms")).status_code == 200


async def test_without_rate_limits_nothing_is_counted() -> None:
    async with open_rest(settings=make_settings(rate_limits=False, rooms_per_minute=1)) as rest:
        assert await make_rooms(await rest.user(), 3) == [201] * 3
