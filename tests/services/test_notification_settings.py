"""`/api/notifications/settings`: what is given replaces, what is left out stays, and what is wrong changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from chat.domain.ids import new_id
from tests.support.rest import open_rest

pytestmark = pytest.mark.anyio

PATH = "/api/notifications/settings"
UNDECIDED: dict[str, Any] = {
    "push": True,
    "email": True,
    "hide_texts": False,
    "language": None,
    "time_zone": None,
    "quiet_hours": None,
    "default_level": None,
    "rooms": {},
}


async def test_a_user_who_decided_nothing_has_the_defaults() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        assert (await ann("GET", PATH)).json() == UNDECIDED
        assert (await rest("GET", PATH)).status_code == 401


async def test_what_is_given_replaces_and_what_is_left_out_stays() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        expected: dict[str, Any] = dict(UNDECIDED)
        changes: list[dict[str, Any]] = [
            {"push": False, "quiet_hours": {"from": "22:00", "to": "07:00"}},
            {"time_zone": "Europe/Berlin", "default_level": "mentions"},
            {"email": False, "hide_texts": True, "language": "ru"},
            {"quiet_hours": None, "push": True},
            {},
        ]
        for change in changes:
            answer = await ann("PUT", PATH, change)
            expected |= change
            assert answer.json() == (await ann("GET", PATH)).json() == expected
        assert (await bob("GET", PATH)).json() == UNDECIDED


async def test_a_room_has_a_choice_of_its_own_until_it_is_taken_back() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        den, hall = await ann.room("den"), await ann.room("hall")
        loud, muted = {"level": "all", "muted_until": None}, {"level": None, "muted_until": 2**41}
        answer = await ann("PUT", PATH, {"rooms": {den: {"level": "all"}, hall.upper(): {"muted_until": 2**41}}})
        assert answer.json() == {**UNDECIDED, "rooms": {den: loud, hall: muted}}
        assert (await ann("PUT", PATH, {"rooms": {den: {}}})).json()["rooms"] == {hall: muted}


async def test_rooms_of_others_are_unknown_and_a_left_one_is_not_shown() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        den = await ann.room()
        for unknown in (den, new_id()):
            refused = await bob("PUT", PATH, {"push": False, "rooms": {unknown: {"level": "all"}}})
            assert (refused.status_code, refused.json()["field"]) == (422, f"rooms.{unknown}")
        assert (await bob("GET", PATH)).json() == UNDECIDED
        await bob("POST", f"/api/rooms/{den}/join")
        assert (await bob("PUT", PATH, {"rooms": {den: {"level": "nothing"}}})).json()["rooms"]
        await bob("POST", f"/api/rooms/{den}/leave")
        assert (await bob("GET", PATH)).json()["rooms"] == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"language": "tlh"}, "language"),
        ({"quiet_hours": {"from": "22:00", "to": "24:00"}}, "quiet_hours.to"),
        ({"quiet_hours": {"from": "10pm", "to": "07:00"}}, "quiet_hours.from"),
        ({"quiet_hours": {"from": "22:00"}}, "quiet_hours.to"),
        ({"default_level": "some"}, "default_level"),
        ({"push": None}, "push"),
        ({"email": "perhaps"}, "email"),
        ({"rooms": {"den": {}}}, "rooms.den.[key]"),
        ({"rooms": {"x" * 5000: {}}}, f"rooms.{'x' * 94}"),
        ({"time_zone": "localtime"}, "time_zone"),
        ({"language": "../ru"}, "language"),
    ],
)
async def test_what_is_wrong_is_named_and_changes_nothing(body: dict[str, Any], field: str) -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        refused = await ann("PUT", PATH, {"hide_texts": True, **body})
        assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (422, "invalid", field)
        assert (await ann("GET", PATH)).json() == UNDECIDED


async def test_too_many_rooms_at_once_are_refused() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        refused = await ann("PUT", PATH, {"rooms": {new_id(): {} for _ in range(501)}})
        assert (refused.status_code, refused.json()["field"]) == (422, "rooms")
