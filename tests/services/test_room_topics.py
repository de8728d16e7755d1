"""Topics and descriptions of rooms."""

from __future__ import annotations

from typing import Any

import pytest

from chat.wire.relay import room_channel
from tests.support.rest import open_rest, received

pytestmark = pytest.mark.anyio


async def test_an_owner_says_what_a_room_is_about_and_others_hear_of_it() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        room = (await ann("POST", "/api/rooms", {"name": "den", "topic": " Tea ", "description": " For\ntea. "})).json()
        assert (room["topic"], room["description"]) == ("Tea", "For\ntea.")
        async with rest.services.relay.open_listener() as listener:
            await listener.subscribe([room_channel(room["id"])])
            changed = await ann("PATCH", f"/api/rooms/{room['id']}", {"topic": "Coffee", "description": ""})
            assert (changed.status_code, changed.json()["topic"], changed.json()["description"]) == (200, "Coffee", "")
            ((_, event),) = await received(listener, 1)
            assert (event["change"], event["topic"], event["description"]) == ("updated", "Coffee", "")
        assert (await bob("GET", f"/api/rooms/{room['id']}")).json()["topic"] == "Coffee"
        await bob("POST", f"/api/rooms/{room['id']}/join")
        assert (await bob("PATCH", f"/api/rooms/{room['id']}", {"topic": "Mine"})).status_code == 403


@pytest.mark.parametrize(
    "body", [{"topic": "x" * 251}, {"topic": "two\nlines"}, {"topic": "nul\0"}, {"description": "x" * 1001}]
)
async def test_a_bad_topic_is_refused(body: dict[str, Any]) -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        answer = await ann("PATCH", f"/api/rooms/{await ann.room()}", body)
        assert (answer.status_code, answer.json()["field"]) == (422, next(iter(body)))
