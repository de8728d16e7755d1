"""What the owners of an instance decide, and the lists of users and rooms for those who moderate."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from chat.domain.conversations import room_key
from chat.domain.ids import new_id
from chat.domain.models import InstanceRole
from chat.engines.relay import MemoryRelay
from chat.ports.relay import Listener, Publication
from chat.wire.relay import INSTANCE, room_channel
from tests.support.logos import make_png
from tests.support.rest import Rest, User, open_rest, read_all, received
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio
PASSWORD = "a good long password"
PNG = {"Content-Type": "image/png"}
CHOICES: dict[str, Any] = {
    "revision": 0,
    "name": None,
    "registration": None,
    "default_rooms": [],
    "room_makers": "everyone",
}


async def make_owner(rest: Rest, name: str = "olga") -> User:
    owner = await rest.user(name)
    await rest.services.accounts.set_instance_role(owner.id, InstanceRole.OWNER)
    return owner


async def decide(owner: User, **choices: Any) -> Any:
    answer = await owner("PUT", "/api/instance", {**CHOICES, **choices})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_owners_decide_and_everybody_may_read_what_the_log_in_needs() -> None:
    async with open_rest() as rest:
        owner = await make_owner(rest)
        shown_first = {**CHOICES, "operator_registration": "open", "logo": None}
        assert (await owner("GET", "/api/instance")).json() == shown_first
        decided = await decide(owner, name=" Команда\u200b ", registration="closed", room_makers="moderators")
        assert (decided["revision"], decided["name"], decided["registration"]) == (1, "Команда", "closed")
        config = (await rest("GET", "/api/config")).json()
        shown = {"name": "Команда", "registration": "closed", "room_makers": "moderators"}
        assert {key: config[key] for key in shown} == shown
        assert "default_rooms" not in config
        refused = await rest("POST", "/api/auth/register", {"name": "new", "password": PASSWORD})
        assert refused.status_code == 403
        await decide(owner, revision=1)
        assert (await rest("GET", "/api/config")).json()["name"] == "Rookery"
        assert (await rest("POST", "/api/auth/register", {"name": "new", "password": PASSWORD})).status_code == 201
        entries = (await owner("GET", "/api/moderation/audit")).json()["entries"]
        assert [(entry["by"], entry["action"]) for entry in entries] == [(owner.id, "setting")] * 2
        assert any("Команда" in entry["reason"] for entry in entries)


async def test_of_two_owners_the_later_one_reads_again() -> None:
    async with open_rest() as rest:
        one, two = await make_owner(rest), await make_owner(rest, "otto")
        await decide(one, name="One")
        late = await two("PUT", "/api/instance", {**CHOICES, "name": "Two"})
        assert (late.status_code, late.json()["field"]) == (409, "revision")
        assert (await two("GET", "/api/instance")).json()["name"] == "One"


async def test_only_moderators_read_it_and_only_owners_decide() -> None:
    async with open_rest(settings=make_settings(rate_limits=False, moderators=("mia",))) as rest:
        mia, ann = await rest.user("mia"), await rest.user("ann")
        paths = ("/api/instance", "/api/instance/users", "/api/instance/rooms")
        for path in paths:
            assert (await mia("GET", path)).status_code == 200
            assert (await ann("GET", path)).status_code == 403
            assert (await rest("GET", path)).status_code == 401
        for user in (mia, ann):
            assert (await user("PUT", "/api/instance", CHOICES)).status_code == 403
            role = await user("PUT", f"/api/instance/users/{user.id}/role", {"role": "owner"})
            assert role.status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "\u200b"},
        {"name": "x" * 65},
        {"name": "two\nlines"},
        {"registration": "some"},
        {"room_makers": None},
        {"default_rooms": [new_id()]},
        {"default_rooms": ["x"]},
        {"default_rooms": [new_id()] * 21},
        {"revision": -1},
    ],
)
async def test_a_wrong_choice_names_its_field_and_changes_nothing(wrong: dict[str, Any]) -> None:
    async with open_rest() as rest:
        owner = await make_owner(rest)
        answer = await owner("PUT", "/api/instance", {**CHOICES, **wrong})
        assert (answer.status_code, answer.json()["field"].split(".")[0]) == (422, next(iter(wrong)))
        assert (await owner("GET", "/api/instance")).json()["revision"] == 0


async def test_newcomers_join_the_default_rooms_with_nothing_unread() -> None:
    async with open_rest() as rest:
        owner = await make_owner(rest)
        hall, private, gone = await owner.room(), await owner.room(visibility="private"), await owner.room()
        refused = await owner("PUT", "/api/instance", {**CHOICES, "default_rooms": [private]})
        assert (refused.status_code, refused.json()["field"]) == (422, "default_rooms")
        await decide(owner, default_rooms=[gone, hall, hall])
        await owner("DELETE", f"/api/rooms/{gone}")
        await rest.say(room_key(hall), owner, "welcome")
        async with rest.services.relay.open_listener() as listener:
            await listener.subscribe([room_channel(hall)])
            ann = await rest.user("ann")
            ((_, event),) = await received(listener, 1)
            assert event == {"type": "member", "room": hall, "user": ann.id, "change": "joined", "role": "member"}
        (room,) = (await ann("GET", "/api/rooms")).json()["rooms"]
        assert (room["id"], room["role"], room["unread"], room["read"]) == (hall, "member", 0, 1)


async def test_where_moderators_make_rooms_others_cannot() -> None:
    async with open_rest(settings=make_settings(rate_limits=False, moderators=("mia",))) as rest:
        owner, mia, ann = await make_owner(rest), await rest.user("mia"), await rest.user("ann")
        await decide(owner, room_makers="moderators")
        for user, status in ((ann, 403), (mia, 201), (owner, 201)):
            assert (await user("POST", "/api/rooms", {"name": "den"})).status_code == status
        await decide(owner, revision=1)
        assert (await ann("POST", "/api/rooms", {"name": "den"})).status_code == 201


async def test_owners_give_roles_to_others_and_never_lose_their_own() -> None:
    async with open_rest() as rest:
        owner, ann = await make_owner(rest), await rest.user("ann")
        for role in ("moderator", "owner", None, "owner"):
            given = await owner("PUT", f"/api/instance/users/{ann.id}/role", {"role": role})
            assert (given.status_code, given.json()) == (200, {"role": role})
            me = (await ann("GET", "/api/auth/me")).json()
            assert (me["instance_role"], me["moderator"]) == (role, role is not None)
        own = await owner("PUT", f"/api/instance/users/{owner.id}/role", {"role": None})
        assert (own.status_code, own.json()["code"]) == (409, "conflict")
        nobody = await owner("PUT", f"/api/instance/users/{new_id()}/role", {"role": "owner"})
        assert nobody.status_code == 404
        entries = (await owner("GET", f"/api/moderation/audit?user={ann.id}")).json()["entries"]
        roles = sorted(entry["reason"].split(": ")[1] for entry in entries)
        assert roles == ["moderator", "none", "owner", "owner"]


async def test_users_and_rooms_are_listed_in_pages() -> None:
    async with open_rest() as rest:
        owner = await make_owner(rest)
        people = [await rest.user(name) for name in ("ann", "anton", "ben")]
        await rest.services.accounts.set_blocked(people[1].id, blocked=True)
        path = "/api/instance/users?limit=2"
        assert await read_all(owner, path, "users") == ["ann", "anton", "ben", "olga"]
        assert await read_all(owner, f"{path}&name=an", "users") == ["ann", "anton"]
        assert await read_all(owner, f"{path}&blocked=true", "users") == ["anton"]
        (blocked,) = (await owner("GET", "/api/instance/users?blocked=true")).json()["users"]
        assert (blocked["id"], blocked["blocked"], blocked["instance_role"]) == (people[1].id, True, None)
        rooms = [await people[0].room(visibility=kind) for kind in ("public", "private", "private")]
        shown = (await owner("GET", "/api/instance/rooms")).json()["rooms"]
        assert sorted(room["id"] for room in shown) == sorted(rooms)
        assert {(room["owner"]["name"], room["members"]) for room in shown} == {("ann", 1)}
        assert len(await read_all(owner, "/api/instance/rooms?limit=2", "rooms")) == 3


async def told_of(listener: Listener, count: int) -> list[Any]:
    """The events that edges send to everybody."""
    return [json.loads(control["event"]) for _, control in await received(listener, count)]


async def test_all_sessions_are_told_what_is_decided_now() -> None:
    async with open_rest() as rest:
        owner = await make_owner(rest)
        async with rest.services.relay.open_listener() as listener:
            await listener.subscribe([INSTANCE])
            await decide(owner, name="Nest", registration="closed", room_makers="moderators")
            logo = (await owner("PUT", "/api/instance/logo", content=make_png(), headers=PNG)).json()["logo"]
            await owner("DELETE", "/api/instance/logo")
            await owner("DELETE", "/api/instance/logo")  # there is none any more
            told = {"type": "instance", "name": "Nest", "registration": "closed", "room_makers": "moderators"}
            assert await told_of(listener, 3) == [{**told, "logo": each} for each in (None, logo, None)]


class OvertakenRelay(MemoryRelay):
    """Another owner decides, and is announced, right before the first event goes out."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None

    async def publish(self, publications: Sequence[Publication]) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        await super().publish(publications)


async def test_of_two_decisions_at_once_the_newer_is_told_last() -> None:
    relay = OvertakenRelay()
    async with open_rest(relay=relay) as rest:
        owner = await make_owner(rest)
        async with relay.open_listener() as listener:
            await listener.subscribe([INSTANCE])
            relay.meanwhile = lambda: decide(owner, revision=1, name="newer")
            await decide(owner, name="older")
            assert [event["name"] for event in await told_of(listener, 3)] == ["newer", "older", "newer"]
