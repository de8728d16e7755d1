"""Rooms, members, bans, invitations: what the routes answer, and what they announce."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from chat.domain.conversations import room_key
from chat.domain.ids import new_id, rfc3339
from chat.wire.relay import room_channel, user_channel
from tests.support.rest import open_rest, read_all, received

pytestmark = pytest.mark.anyio


async def test_a_room_is_made_found_changed_and_deleted() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        answer = await ann("POST", "/api/rooms", {"name": " Chess ", "visibility": "public"})
        room = answer.json()
        expected: dict[str, Any] = {"name": "Chess", "visibility": "public", "default_role": "member"}
        expected |= {"topic": "", "description": ""}
        expected |= {"role": "owner", "seq": 0, "unread": 0, "read": 0, "mentions": 0, "last": None}
        assert (answer.status_code, room) == (201, {"id": room["id"], **expected})
        assert (await ann("GET", "/api/rooms")).json()["rooms"] == [room]
        assert (await bob("GET", "/api/rooms")).json()["rooms"] == []
        seen = {**room, "role": None}
        owner = {"id": ann.id, "name": ann.name}
        details = {"owner": owner, "members": 1, "created": rfc3339(rest.clock())}
        listed = {**seen, **details, "alike": False}
        assert (await bob("GET", "/api/rooms?public=1")).json()["rooms"] == [listed]
        assert (await bob("GET", "/api/rooms?public=1&name=ch&limit=1")).json()["rooms"] == [listed]
        assert (await bob("GET", "/api/rooms?public=1&name=x")).json()["rooms"] == []
        assert (await bob("GET", f"/api/rooms/{room['id'].upper()}")).json() == {**seen, **details}
        assert (await ann("GET", f"/api/rooms/{room['id']}")).json() == {**room, **details}
        changed = await ann("PATCH", f"/api/rooms/{room['id']}", {"visibility": "private"})
        assert changed.json() == {**room, "visibility": "private"}
        assert (await bob("GET", f"/api/rooms/{room['id']}")).status_code == 403
        assert (await bob("GET", "/api/rooms?public=1")).json()["rooms"] == []
        assert (await ann("DELETE", f"/api/rooms/{room['id']}")).status_code == 204
        assert (await ann("GET", f"/api/rooms/{room['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"name": "e" + "\u0301" * 31}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "\u2800\u3164\u200b"}, "name"),
        ({"name": ["x"]}, "name"),
        ({"name": "den", "visibility": "secret"}, "visibility"),
        ({"visibility": "public"}, "name"),
    ],
)
async def test_a_bad_room_is_refused(body: dict[str, Any], field: str) -> None:
    async with open_rest() as rest:
        answer = await (await rest.user())("POST", "/api/rooms", body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize("name", ["نمی\u200cخواهم", "നന്\u200d", "👨\u200d👩\u200d👧", "東京\u3000本部", "a\u00a0b"])
async def test_a_room_has_a_name_of_any_script(name: str) -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        answer = await ann("POST", "/api/rooms", {"name": f"\u200b{name}\u2800"})
        assert (answer.status_code, answer.json()["name"]) == (201, name)
        assert (await ann("PATCH", f"/api/rooms/{answer.json()['id']}", {"name": f"{name}\u2060"})).json()[
            "name"
        ] == name
        found = await ann("GET", "/api/rooms", params={"public": "1", "name": f"{name[:2]}\u200b"})
        assert [room["name"] for room in found.json()["rooms"]] == [name]


async def test_public_rooms_come_in_pages_though_many_have_one_name() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        for number in range(4):
            await ann.room("Den")
            await ann.room(f"Den {number}")
        await ann.room("Attic")
        names = await read_all(ann, "/api/rooms?public=1&name=den&limit=3", "rooms")
        assert names == ["Den"] * 4 + [f"Den {number}" for number in range(4)]
        assert len(await read_all(ann, "/api/rooms?public=1&limit=2", "rooms")) == 9
        mine = (await ann("GET", "/api/rooms?limit=1")).json()
        assert (len(mine["rooms"]), mine["more"], mine["next"]) == (9, False, None)


@pytest.mark.parametrize("cursor", ["x", "%F0%9F%90%A6", "WyJ1c2VycyIsImFubiJd", "a" * 4096])
async def test_a_cursor_of_something_else_is_refused(cursor: str) -> None:
    async with open_rest() as rest:
        answer = await (await rest.user())("GET", f"/api/rooms?public=1&cursor={cursor}")
        assert (answer.status_code, answer.json()["field"]) == (422, "cursor")


async def test_an_empty_change_says_what_to_give() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        answer = await ann("PATCH", f"/api/rooms/{await ann.room()}", {})
        assert (answer.status_code, answer.json()["field"]) == (422, "name")


async def test_unread_counts_follow_the_history() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        room = await ann.room()
        await bob("POST", f"/api/rooms/{room}/join")
        await rest.say(room_key(room), ann, "one", "two")
        view = (await bob("GET", f"/api/rooms/{room}")).json()
        assert (view["seq"], view["unread"], view["read"], view["role"]) == (2, 2, 0, "member")
        [mine] = (await ann("GET", "/api/rooms")).json()["rooms"]
        assert (mine["seq"], mine["unread"]) == (2, 0)


@pytest.mark.parametrize("how", ["join", "invite", "add"])
async def test_what_was_said_before_one_came_is_not_unread(how: str) -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        room = await ann.room()
        await rest.say(room_key(room), ann, "one", "two", "three")
        if how == "join":
            view = (await bob("POST", f"/api/rooms/{room}/join")).json()
        elif how == "invite":
            token = (await ann("POST", f"/api/rooms/{room}/invites")).json()["token"]
            view = (await bob("POST", f"/api/invites/{token}")).json()
        else:
            await ann("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": "member"})
            view = (await bob("GET", f"/api/rooms/{room}")).json()
        assert (view["seq"], view["unread"], view["read"]) == (3, 0, 3)
        await rest.say(room_key(room), ann, "four")
        again = (await bob("POST", f"/api/rooms/{room}/join")).json()
        assert (again["seq"], again["unread"], again["read"]) == (4, 1, 3)


async def test_joining_and_leaving() -> None:
    async with open_rest() as rest, rest.services.relay.open_listener() as listener:
        ann, bob = await rest.user(), await rest.user()
        room = await ann.room()
        await listener.subscribe([room_channel(room), user_channel(bob.id)])
        assert (await bob("POST", f"/api/rooms/{room}/join")).json()["role"] == "member"
        assert (await bob("POST", f"/api/rooms/{room}/join")).json()["role"] == "member"  # announces nothing
        assert (await bob("POST", f"/api/rooms/{room}/leave")).status_code == 204
        assert (await bob("POST", f"/api/rooms/{room}/leave")).status_code == 403
        joined, left = (
            {"type": "member", "room": room, "user": bob.id, "change": change} for change in ("joined", "left")
        )
        *deliveries, again = await received(listener, 5)
        assert [channel for channel, _ in deliveries] == [user_channel(bob.id), room_channel(room)] * 2
        assert again == deliveries[2]  # the second time, the room is not told
        assert deliveries[1][1] == {**joined, "role": "member"}
        assert deliveries[3][1] == left
        control = deliveries[0][1]
        assert (control["do"], control["user"], control["room"], control["role"]) == ("member", bob.id, room, "member")
        assert deliveries[2][1]["role"] is None


async def test_a_private_room_takes_an_invitation() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        room = await ann.room(visibility="private")
        answer = await bob("POST", f"/api/rooms/{room}/join")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        made = await ann("POST", f"/api/rooms/{room}/invites")
        assert made.status_code == 201
        token = made.json()["token"]
        assert made.json()["expires"] == rfc3339(rest.clock() + 7 * 24 * 3600 * 1000)
        for _ in range(2):
            entered = await bob("POST", f"/api/invites/{token}")
            assert (entered.status_code, entered.json()["role"]) == (200, "member")
        assert (await bob("POST", f"/api/rooms/{room}/join")).status_code == 200


async def test_an_invitation_gives_its_role_and_expires() -> None:
    async with open_rest() as rest:
        ann, bob, cid = await rest.user(), await rest.user(), await rest.user()
        room = await ann.room(visibility="private")
        made = await ann("POST", f"/api/rooms/{room}/invites", {"role": "reader", "expires_in": 60})
        token = made.json()["token"]
        assert (await bob("POST", f"/api/invites/{token}")).json()["role"] == "reader"
        assert (await ann("POST", f"/api/invites/{token}")).json()["role"] == "owner"
        rest.clock.now += 60_000
        for bad in (token, "unknown", "%F0%9F%90%A6", "a" * 500):
            answer = await cid("POST", f"/api/invites/{bad}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        for body in ({"expires_in": 1}, {"expires_in": 10**9}, {"role": "king"}):
            assert (await ann("POST", f"/api/rooms/{room}/invites", body)).status_code == 422


async def test_an_invitation_is_listed_without_its_token_and_revoked() -> None:
    async with open_rest() as rest:
        ann, bob, cid = await rest.user(), await rest.user(), await rest.user()
        room = await ann.room(visibility="private")
        made = (await ann("POST", f"/api/rooms/{room}/invites", {"uses": 2})).json()
        await bob("POST", f"/api/invites/{made['token']}")
        (listed,) = (await ann("GET", f"/api/rooms/{room}/invites")).json()["invites"]
        assert listed == {
            "id": made["id"],
            "role": "member",
            "creator": {"id": ann.id, "name": ann.name},
            "created": rfc3339(rest.clock()),
            "expires": made["expires"],
            "uses": 2,
            "used": 1,
        }
        assert (await bob("GET", f"/api/rooms/{room}/invites")).status_code == 403
        one = f"/api/rooms/{room}/invites/{made['id']}"
        assert (await bob("DELETE", one)).status_code == 403
        assert (await ann("DELETE", one)).status_code == 204
        assert (await ann("DELETE", one)).status_code == 404
        assert (await cid("POST", f"/api/invites/{made['token']}")).status_code == 404
        for uses in (0, -1, 10**6, "many"):
            assert (await ann("POST", f"/api/rooms/{room}/invites", {"uses": uses})).status_code == 422


async def test_a_demoted_owner_does_not_come_back_by_an_invitation_of_before() -> None:
    async with open_rest() as rest:
        ann, bob, cid = await rest.user(), await rest.user(), await rest.user()
        room = await ann.room()
        await ann("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": "owner"})
        token = (await bob("POST", f"/api/rooms/{room}/invites", {"role": "owner"})).json()["token"]
        await ann("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": "member"})
        await bob("POST", f"/api/rooms/{room}/leave")
        for user in (bob, cid):
            answer = await user("POST", f"/api/invites/{token}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_in_a_room_for_announcements_newcomers_read() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        body = {"name": "news", "default_role": "reader"}
        room = (await ann("POST", "/api/rooms", body)).json()["id"]
        assert (await bob("POST", f"/api/rooms/{room}/join")).json()["role"] == "reader"
        assert (await ann("PATCH", f"/api/rooms/{room}", {"default_role": "member"})).json()["default_role"] == "member"
        for role in ("owner", "moderator", "king"):
            assert (await ann("PATCH", f"/api/rooms/{room}", {"default_role": role})).status_code == 422


async def test_a_reader_who_leaves_and_joins_again_still_reads() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        room = await ann.room()
        await bob("POST", f"/api/rooms/{room}/join")
        await ann("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": "reader"})
        await bob("POST", f"/api/rooms/{room}/leave")
        assert (await bob("POST", f"/api/rooms/{room}/join")).json()["role"] == "reader"


async def test_nobody_adds_a_user_who_left() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        room = await ann.room()
        member = f"/api/rooms/{room}/members/{bob.id}"
        assert (await ann("PUT", member, {"role": "member"})).status_code == 200
        await bob("POST", f"/api/rooms/{room}/leave")
        answer = await ann("PUT", member, {"role": "member"})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert (await bob("POST", f"/api/rooms/{room}/join")).status_code == 200


async def test_members_are_listed_by_name_in_pages() -> None:
    async with open_rest() as rest:
        ann = await rest.user("ann")
        room = await ann.room()
        for name in ("Dan", "bob", "Cid"):
            await (await rest.user(name))("POST", f"/api/rooms/{room}/join")
        first = (await ann("GET", f"/api/rooms/{room}/members?limit=3")).json()
        assert [member["name"] for member in first["members"]] == ["ann", "bob", "Cid"]
        assert first["more"]
        assert first["members"][0]["role"] == "owner"
        assert await read_all(ann, f"/api/rooms/{room}/members?limit=1", "members") == ["ann", "bob", "Cid", "Dan"]
        rest_of = (await ann("GET", f"/api/rooms/{room}/members?after=Cid")).json()
        assert ([member["name"] for member in rest_of["members"]], rest_of["more"]) == (["Dan"], False)


async def test_roles_are_set_and_announced() -> None:
    async with open_rest() as rest, rest.services.relay.open_listener() as listener:
        ann, bob = await rest.user(), await rest.user()
        room = await ann.room()
        await listener.subscribe([room_channel(room)])
        for role in ("member", "member", "moderator"):
            answer = await ann("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": role})
            assert (answer.status_code, answer.json()) == (200, {"role": role})
        changes = [(event["change"], event["role"]) for _, event in await received(listener, 2)]
        assert changes == [("joined", "member"), ("role", "moderator")]
        missing = await ann("PUT", f"/api/rooms/{room}/members/{new_id()}", {"role": "member"})
        assert missing.status_code == 404


async def test_the_last_owner_stays() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        room = await ann.room()
        demotion = f"/api/rooms/{room}/members/{ann.id}"
        for answer in (
            await ann("POST", f"/api/rooms/{room}/leave"),
            await ann("DELETE", demotion),
            await ann("PUT", demotion, {"role": "member"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
        await ann("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": "owner"})
        assert (await ann("DELETE", demotion)).status_code == 204


async def test_kicking_and_banning() -> None:
    async with open_rest() as rest, rest.services.relay.open_listener() as listener:
        ann, bob = await rest.user(), await rest.user()
        room = await ann.room()
        await bob("POST", f"/api/rooms/{room}/join")
        await listener.subscribe([room_channel(room), user_channel(bob.id)])
        member, ban = f"/api/rooms/{room}/members/{bob.id}", f"/api/rooms/{room}/bans/{bob.id}"
        assert (await ann("DELETE", member)).status_code == 204
        assert (await ann("DELETE", member)).status_code == 404
        assert (await ann("DELETE", ban)).status_code == 404
        assert (await ann("PUT", ban, {"reason": "spam"})).status_code == 204
        banned = {"id": bob.id, "name": bob.name}
        assert (await ann("GET", f"/api/rooms/{room}/bans")).json() == {"bans": [banned]}
        token = (await ann("POST", f"/api/rooms/{room}/invites", {})).json()["token"]
        for answer in (
            await bob("POST", f"/api/rooms/{room}/join"),
            await bob("POST", f"/api/invites/{token}"),
            await ann("PUT", member, {"role": "member"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "banned")
        assert (await ann("DELETE", ban)).status_code == 204
        assert (await bob("POST", f"/api/rooms/{room}/join")).status_code == 200
        deliveries = await received(listener, 7)
        assert [event["change"] for channel, event in deliveries if channel == room_channel(room)] == [
            "kicked",
            "banned",
            "joined",
        ]
        assert [control["role"] for channel, control in deliveries if channel != room_channel(room)] == [
            None,
            None,  # of the kick that found nothing to do
            None,
            "member",
        ]


async def test_one_does_not_ban_oneself_nor_someone_who_does_not_exist() -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        room = await ann.room()
        answer = await ann("PUT", f"/api/rooms/{room}/bans/{ann.id}")
        assert (answer.status_code, answer.json()["field"]) == (422, "user")
        assert (await ann("PUT", f"/api/rooms/{room}/bans/{new_id()}")).status_code == 404
        assert (await ann("PUT", f"/api/rooms/{room}/bans/{new_id()}", {"reason": "x" * 501})).status_code == 422


async def test_a_change_of_a_room_is_announced() -> None:
    async with open_rest() as rest, rest.services.relay.open_listener() as listener:
        ann, bob = await rest.user(), await rest.user()
        room = await ann.room()
        await bob("POST", f"/api/rooms/{room}/join")
        await listener.subscribe([room_channel(room), user_channel(ann.id), user_channel(bob.id)])
        await ann("PATCH", f"/api/rooms/{room}", {"name": "attic"})
        await ann("DELETE", f"/api/rooms/{room}")
        updated, deleted, *members = await received(listener, 4)
        kept = {"visibility": "public", "default_role": "member", "topic": "", "description": ""}
        assert updated == (
            room_channel(room),
            {"type": "room", "room": room, "change": "updated", "name": "attic", **kept},
        )
        assert (deleted[0], deleted[1]["do"]) == (room_channel(room), "room_deleted")
        assert {channel for channel, _ in members} == {user_channel(ann.id), user_channel(bob.id)}
        assert all((control["do"], control["role"]) == ("member", None) for _, control in members)


async def test_a_client_that_hangs_up_does_not_split_a_change_from_its_announcement() -> None:
    async with open_rest() as rest, rest.services.relay.open_listener() as listener:
        ann, bob = await rest.user(), await rest.user()
        room = await ann.room()
        await listener.subscribe([room_channel(room)])
        joined = 0
        for checkpoints in range(60):
            await bob("DELETE", f"/api/rooms/{room}/members/{bob.id}")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(bob, "POST", f"/api/rooms/{room}/join")
                for _ in range(checkpoints):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            role = await rest.services.rooms.get_role(room, bob.id)
            joined += role is not None
        await bob("DELETE", f"/api/rooms/{room}/members/{bob.id}")
        events = [event["change"] for _, event in await received(listener, 2 * joined)]
        assert events == ["joined", "left"] * joined
        assert joined


@pytest.mark.parametrize("path", ["", "/members", "/messages", "/reads", "/bans"])
async def test_what_does_not_exist_is_404_and_what_is_no_id_422(path: str) -> None:
    async with open_rest() as rest:
        ann = await rest.user()
        assert (await ann("GET", f"/api/rooms/{new_id()}{path}")).status_code == 404
        answer = await ann("GET", f"/api/rooms/nowhere{path}")
        assert (answer.status_code, answer.json()["field"]) == (422, "room")
