"""Every action of every role through REST, against the one table of rights."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from chat.domain.conversations import room_key
from chat.domain.models import Role, Visibility
from chat.domain.rights import Right, has_right, may_change_member
from tests.support.rest import Rest, User, open_rest

pytestmark = pytest.mark.anyio

ROLES: tuple[Role | None, ...] = (*Role, None)
ACTIONS: list[tuple[Right, str, str, Any]] = [
    (Right.READ, "GET", "/messages", None),
    (Right.READ, "GET", "/reads", None),
    (Right.LIST_MEMBERS, "GET", "/members", None),
    (Right.SEE_ORIGINALS, "GET", "/messages/1/originals", None),
    (Right.INVITE, "POST", "/invites", {"role": "reader"}),
    (Right.BAN, "GET", "/bans", None),
    (Right.EDIT_ROOM, "PATCH", "", {"name": "attic"}),
    (Right.DELETE_ROOM, "DELETE", "", None),
]


async def place(rest: Rest, owner: User, room: str, user: User, role: Role | None) -> None:
    """Give the user this role."""
    if role is not None:
        await rest.services.rooms.set_member(room, user.id, role, now=rest.clock())


@pytest.mark.parametrize("visibility", Visibility)
async def test_each_action_is_open_to_the_roles_of_the_table(visibility: Visibility) -> None:
    async with open_rest() as rest:
        owner, asker = await rest.user(), await rest.user()
        for role, (action, method, path, body) in product(ROLES, ACTIONS):
            room = await owner.room(visibility=visibility)
            await rest.say(room_key(room), owner, "hello")
            await place(rest, owner, room, asker, role)
            answer = await asker(method, f"/api/rooms/{room}{path}", body)
            assert answer.is_success == has_right(role, action), (role, action, answer.text)
            assert answer.is_success or (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_a_stranger_sees_a_public_room_and_no_private_one() -> None:
    async with open_rest() as rest:
        owner, stranger = await rest.user(), await rest.user()
        for visibility, status in (("public", 200), ("private", 403)):
            room = await owner.room(visibility=visibility)
            for method, path in (("GET", ""), ("POST", "/join")):
                assert (await stranger(method, f"/api/rooms/{room}{path}")).status_code == status
            if status == 200:
                assert (await stranger("POST", f"/api/rooms/{room}/leave")).status_code == 204


async def test_who_may_make_whom_what() -> None:
    async with open_rest() as rest:
        owner, actor, target = await rest.user(), await rest.user(), await rest.user()
        for own, before, after in product(ROLES, ROLES, Role):
            room = await owner.room()
            await place(rest, owner, room, actor, own)
            await place(rest, owner, room, target, before)
            answer = await actor("PUT", f"/api/rooms/{room}/members/{target.id}", {"role": after})
            assert (answer.status_code == 200) == may_change_member(own, before, after), (own, before, after)
            expected = after if answer.status_code == 200 else before
            assert await rest.services.rooms.get_role(room, target.id) == expected


@pytest.mark.parametrize("kind", ["members", "bans"])
async def test_who_may_kick_and_ban_whom(kind: str) -> None:
    async with open_rest() as rest:
        owner, actor, target = await rest.user(), await rest.user(), await rest.user()
        method = "DELETE" if kind == "members" else "PUT"
        for own, before in product(ROLES, Role):
            room = await owner.room()
            await place(rest, owner, room, actor, own)
            await place(rest, owner, room, target, before)
            answer = await actor(method, f"/api/rooms/{room}/{kind}/{target.id}")
            allowed = may_change_member(own, before, None)
            assert answer.status_code == (204 if allowed else 403), (own, before, answer.text)
            assert await rest.services.rooms.get_role(room, target.id) == (None if allowed else before)


async def test_who_may_lift_a_ban_and_invite_as_what() -> None:
    async with open_rest() as rest:
        owner, actor, target = await rest.user(), await rest.user(), await rest.user()
        for own in ROLES:
            room = await owner.room()
            await place(rest, owner, room, actor, own)
            await owner("PUT", f"/api/rooms/{room}/bans/{target.id}")
            answer = await actor("DELETE", f"/api/rooms/{room}/bans/{target.id}")
            assert answer.is_success == has_right(own, Right.BAN)
            for role in Role:
                answer = await actor("POST", f"/api/rooms/{room}/invites", {"role": role})
                assert answer.is_success == may_change_member(own, None, role), (own, role)


async def test_every_member_may_leave() -> None:
    async with open_rest() as rest:
        owner, member = await rest.user(), await rest.user()
        for role, (method, path) in product(Role, (("POST", "/leave"), ("DELETE", f"/members/{member.id}"))):
            room = await owner.room()
            await place(rest, owner, room, member, role)
            assert (await member(method, f"/api/rooms/{room}{path}")).status_code == 204
