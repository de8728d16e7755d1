"""Display names: at registration, changed later, and wherever REST gives a user."""

from __future__ import annotations

from typing import Any

import pytest

from chat.domain.conversations import room_key
from chat.wire.relay import presence_channel, room_channel, user_channel
from tests.support.rest import User, open_rest, read_all, received
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio
PASSWORD = "a good long password"


async def rename(user: User, display_name: Any) -> Any:
    return await user("PATCH", "/api/auth/me", {"display_name": display_name})


@pytest.mark.parametrize(
    ("given", "stored"), [("Bo", "Bo"), (" Zoe\u0308 ", "Zoë"), ("O'Brien", "O'Brien"), ("王芳", "王芳"), (None, None)]
)
async def test_an_account_is_made_with_a_display_name(given: str | None, stored: str | None) -> None:
    async with open_rest() as rest:
        body = {"name": "bo", "password": PASSWORD, "display_name": given}
        made = await rest("POST", "/api/auth/register", body)
        assert (made.status_code, made.json()["name"], made.json()["display_name"]) == (201, "bo", stored)
        ann = await rest.user("ann")
        bo = (await ann("GET", "/api/users?name=bo")).json()["users"]
        shown = {} if stored is None else {"display_name": stored}
        assert bo == [{"id": made.json()["id"], "name": "bo", **shown}]


@pytest.mark.parametrize("name", ["", " \u200b", "x" * 65, "two\nlines", "\u0430dmin", "The Rookery Team", 7])
async def test_a_bad_display_name_is_refused_with_its_field(name: Any) -> None:
    async with open_rest() as rest:
        ann = await rest.user("ann")
        made = await rest("POST", "/api/auth/register", {"name": "bo", "password": PASSWORD, "display_name": name})
        changed = await rename(ann, name)
        for answer in (made, changed):
            assert (answer.status_code, answer.json()["field"]) == (422, "display_name")
        assert (await ann("PATCH", "/api/auth/me", {})).status_code == 422
        assert (await ann("GET", "/api/auth/me")).json()["display_name"] is None


async def test_moderators_of_the_instance_may_say_that_they_are() -> None:
    async with open_rest(settings=make_settings(moderators=("ann",))) as rest:
        assert (await rename(await rest.user("ann"), "Moderation")).status_code == 200
        assert (await rename(await rest.user("bob"), "Moderation")).status_code == 422


async def test_a_display_name_stands_wherever_a_user_does() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user("ann"), await rest.user("bob")
        room = await ann.room()
        await bob("POST", f"/api/rooms/{room}/join")
        await rest.say(room_key(room), ann, "an old message")
        assert (await rename(ann, "Zoë Ott")).json()["display_name"] == "Zoë Ott"
        shown = {"id": ann.id, "name": "ann", "display_name": "Zoë Ott"}
        me = (await ann("GET", "/api/auth/me")).json()
        assert {field: me[field] for field in shown} == shown
        assert (await bob("GET", f"/api/users/{ann.id}")).json() == shown
        for prefix in ("zoe", "ANN"):
            assert (await bob("GET", f"/api/users?name={prefix}")).json()["users"] == [shown]
            found = (await bob("GET", f"/api/rooms/{room}/members?name={prefix}")).json()["members"]
            assert [(member["id"], member["display_name"]) for member in found] == [(ann.id, "Zoë Ott")]
        assert await read_all(bob, f"/api/rooms/{room}/members?limit=1", "members") == ["ann", "bob"]
        (message,) = (await bob("GET", f"/api/rooms/{room}/messages")).json()["messages"]
        assert message["sender"] == shown
        (message,) = (await bob("GET", "/api/search?q=old")).json()["messages"]
        assert message["sender"] == shown
        (public,) = (await bob("GET", "/api/rooms?public=1")).json()["rooms"]
        assert public["owner"] == shown
        await bob("PUT", f"/api/privacy/blocks/{ann.id}")
        assert (await bob("GET", "/api/privacy/blocks")).json()["users"] == [shown]
        assert (await rename(ann, None)).json()["display_name"] is None
        (message,) = (await bob("GET", f"/api/rooms/{room}/messages")).json()["messages"]
        assert message["sender"] == {"id": ann.id, "name": "ann"}


async def test_a_change_is_announced_to_the_user_the_watchers_and_the_rooms() -> None:
    async with open_rest() as rest:
        ann = await rest.user("ann")
        rooms = [await ann.room("one"), await ann.room("two")]
        channels = [user_channel(ann.id), presence_channel(ann.id), *map(room_channel, rooms)]
        async with rest.services.relay.open_listener() as listener:
            await listener.subscribe(channels)
            await rename(ann, "Zoë")
            told = dict(await received(listener, len(channels)))
        event = {"type": "user", "user": ann.id, "name": "ann", "display_name": "Zoë"}
        assert {channel: told[channel] for channel in channels[1:]} == dict.fromkeys(channels[1:], event)
        assert told[channels[0]]["display_name"] == "Zoë"


async def test_changes_are_rated() -> None:
    async with open_rest(settings=make_settings(rate_limits=True, profile_changes_per_hour=2)) as rest:
        ann = await rest.user("ann")
        assert [(await rename(ann, name)).status_code for name in ("A", "B", "C")] == [200, 200, 429]
