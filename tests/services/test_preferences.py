"""Preferences that devices share, and the status of a user."""

from __future__ import annotations

from typing import Any

import pytest

from chat.domain.ids import rfc3339
from chat.wire.relay import presence_channel, room_channel, user_channel
from tests.support.builders import NOW
from tests.support.rest import open_rest, received

pytestmark = pytest.mark.anyio


async def test_devices_agree_by_revisions() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user("ann"), await rest.user("bob")
        assert (await ann("GET", "/api/preferences")).json() == {"revision": 0, "content": ""}
        chosen = '{"theme": "dark", "favourites": ["ж"]}'
        put = await ann("PUT", "/api/preferences", {"revision": 0, "content": chosen})
        assert (put.status_code, put.json()) == (200, {"revision": 1})
        late = await ann("PUT", "/api/preferences", {"revision": 0, "content": ""})
        assert (late.status_code, late.json()["code"], late.json()["field"]) == (409, "conflict", "revision")
        assert (await ann("GET", "/api/preferences")).json() == {"revision": 1, "content": chosen}
        assert (await bob("GET", "/api/preferences")).json()["revision"] == 0


async def test_what_one_device_saved_is_told_to_the_others() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user("ann"), await rest.user("bob")
        async with rest.services.relay.open_listener() as listener:
            await listener.subscribe([user_channel(ann.id), user_channel(bob.id)])
            await ann("PUT", "/api/preferences", {"revision": 0, "content": "{}"})
            await ann("PUT", "/api/preferences", {"revision": 0, "content": "late"})
            await ann("PUT", "/api/preferences", {"revision": 1, "content": ""})
            events = [{"type": "preferences", "revision": revision} for revision in (1, 2)]
            assert await received(listener, 2) == [(user_channel(ann.id), event) for event in events]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"revision": 0, "content": "ж" * 8193}, 422, "content"),
        ({"revision": 0, "content": []}, 422, "content"),
        ({"revision": 0}, 422, "content"),
        ({"revision": "x", "content": ""}, 422, "revision"),
        ({"content": ""}, 422, "revision"),
    ],
)
async def test_what_is_no_small_text_is_refused(body: Any, status: int, field: str) -> None:
    async with open_rest() as rest:
        ann = await rest.user("ann")
        answer = await ann("PUT", "/api/preferences", body)
        assert (answer.status_code, answer.json()["field"]) == (status, field)
        assert (await ann("GET", "/api/preferences")).json()["revision"] == 0


async def test_a_status_stands_where_people_are_looked_up_until_it_ends() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user("ann"), await rest.user("bob")
        body = {"emoji": "🌴", "text": " on holiday\u200b ", "until": rfc3339(NOW + 60_000)}
        me = (await ann("PUT", "/api/auth/me/status", body)).json()
        shown = {**body, "text": "on holiday"}
        assert me["status"] == shown

        async def read_statuses() -> list[Any]:
            states = (await bob("GET", f"/api/presence?users={ann.id}")).json()["states"]
            found = (await bob("GET", "/api/users?name=ann")).json()["users"]
            one = (await bob("GET", f"/api/users/{ann.id}")).json()
            own = (await ann("GET", "/api/auth/me")).json()
            return [each.get("status") for each in (states[ann.id], found[0], one, own)]

        assert await read_statuses() == [shown] * 4
        rest.clock.now += 60_000
        assert await read_statuses() == [None] * 4


async def test_a_status_is_announced_and_taken_back() -> None:
    async with open_rest() as rest:
        ann = await rest.user("ann")
        room = await ann.room()
        channels = [user_channel(ann.id), presence_channel(ann.id), room_channel(room)]
        async with rest.services.relay.open_listener() as listener:
            await listener.subscribe(channels)
            await ann("PUT", "/api/auth/me/status", {"text": "busy"})
            said = dict(await received(listener, 3))
            assert said[room_channel(room)]["status"] == {"emoji": "", "text": "busy", "until": None}
            cleared = await ann("DELETE", "/api/auth/me/status")
            assert cleared.json()["status"] is None
            assert "status" not in dict(await received(listener, 3))[presence_channel(ann.id)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": " "}, "text"),
        ({"text": "x" * 101}, "text"),
        ({"text": "a\nb"}, "text"),
        ({"emoji": "x"}, "emoji"),
        ({"text": "late", "until": rfc3339(NOW)}, "until"),
        ({"text": "late", "until": "tomorrow"}, "until"),
    ],
)
async def test_a_wrong_status_names_its_field(body: Any, field: str) -> None:
    async with open_rest() as rest:
        ann = await rest.user("ann")
        answer = await ann("PUT", "/api/auth/me/status", body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert (await ann("GET", "/api/auth/me")).json()["status"] is None
