"""What users decide about themselves: who may add them to rooms, and whom they block."""

from __future__ import annotations

import pytest

from chat.domain.conversations import dm_key
from chat.domain.ids import new_id
from chat.domain.models import PresenceState
from chat.domain.records import Read
from chat.wire.relay import user_channel
from tests.support.rest import User, open_rest, received
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio


async def test_a_user_decides_who_may_add_them() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        assert (await bob("GET", "/api/privacy")).json() == {"added_by": "everyone", "decided": False}
        answer = await bob("PUT", "/api/privacy", {"added_by": "nobody"})
        assert answer.json() == (await bob("GET", "/api/privacy")).json() == {"added_by": "nobody", "decided": True}
        room = await ann.room(visibility="private")
        refused = await ann("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": "member"})
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        token = (await ann("POST", f"/api/rooms/{room}/invites")).json()["token"]
        assert (await bob("POST", f"/api/invites/{token}")).status_code == 200
        assert (await ann("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": "moderator"})).status_code == 200
        assert (await bob("PUT", "/api/privacy", {"added_by": None})).json()["decided"] is False
        for body in ({}, {"added_by": "friends"}):
            assert (await bob("PUT", "/api/privacy", body)).status_code == 422


async def test_the_instance_decides_for_users_who_have_not() -> None:
    async with open_rest(settings=make_settings(rate_limits=False, added_by="shared")) as rest:
        ann, bob = await rest.user(), await rest.user()
        assert (await bob("GET", "/api/privacy")).json() == {"added_by": "shared", "decided": False}
        room, other = await ann.room(), await ann.room()
        assert (await ann("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": "member"})).status_code == 403
        await bob("POST", f"/api/rooms/{other}/join")
        assert (await ann("PUT", f"/api/rooms/{room}/members/{bob.id}", {"role": "member"})).status_code == 200


async def test_a_block_is_announced_to_the_edges_of_both() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        channels = [user_channel(ann.id), user_channel(bob.id)]
        async with rest.services.relay.open_listener() as listener:
            await listener.subscribe(channels)
            for method, blocked in (("PUT", True), ("DELETE", False), ("DELETE", False)):
                await ann(method, f"/api/privacy/blocks/{bob.id}")
                change = {"do": "user_block", "user": ann.id, "other": bob.id, "blocked": blocked}
                assert dict(await received(listener, 2)) == dict.fromkeys(channels, change)


async def test_the_presence_and_the_read_mark_of_who_blocks_are_hidden() -> None:
    async with open_rest() as rest:
        ann, bob = await rest.user(), await rest.user()
        await rest.say(dm_key(ann.id, bob.id), ann, "hi")
        mark = Read(conversation=dm_key(ann.id, bob.id), actor=ann.id, ts=rest.clock(), seq=1)
        await rest.services.history.apply_batch([], [mark])
        await rest.services.presence.enter_session(ann.id, "session", PresenceState.ONLINE)

        async def ask(user: User, other: User) -> tuple[str, str, dict[str, int]]:
            got = await user("GET", f"/api/presence?users={other.id}")
            sent = await user("POST", "/api/presence", {"users": [other.id]})
            reads = (await user("GET", f"/api/dms/{other.id}/reads")).json()["reads"]
            return got.json()["states"][other.id]["state"], sent.json()["states"][other.id]["state"], reads

        assert await ask(bob, ann) == ("online", "online", {ann.id: 1})
        await ann("PUT", f"/api/privacy/blocks/{bob.id}")
        assert await ask(bob, ann) == ("offline", "offline", {})
        assert await ask(ann, bob) == ("offline", "offline", {ann.id: 1})
        await ann("DELETE", f"/api/privacy/blocks/{bob.id}")
        assert await ask(bob, ann) == ("online", "online", {ann.id: 1})
        await rest.services.presence.leave_session(ann.id, "session")


async def test_an_invitation_is_of_no_use_to_whom_blocks_its_maker() -> None:
    async with open_rest() as rest:
        ann, bob, cid = await rest.user(), await rest.user(), await rest.user()
        room = await ann.room(visibility="private")
        token = (await ann("POST", f"/api/rooms/{room}/invites")).json()["token"]
        await bob("PUT", f"/api/privacy/blocks/{ann.id}")
        await ann("PUT", f"/api/privacy/blocks/{cid.id}")
        assert (await bob("POST", f"/api/invites/{token}")).status_code == 404
        assert (await cid("POST", f"/api/invites/{token}")).status_code == 200
        await bob("DELETE", f"/api/privacy/blocks/{ann.id}")
        assert (await bob("POST", f"/api/invites/{token}")).status_code == 200


async def test_a_user_blocks_others_and_ends_it() -> None:
    async with open_rest() as rest:
        ann, bob, cid = await rest.user(), await rest.user(), await rest.user()
        for other in (bob, cid, bob):
            assert (await ann("PUT", f"/api/privacy/blocks/{other.id}")).status_code == 204
        listed = (await ann("GET", "/api/privacy/blocks")).json()["users"]
        assert {user["name"] for user in listed} == {bob.name, cid.name}
        assert (await bob("GET", "/api/privacy/blocks")).json() == {"users": []}
        room = await bob.room()
        assert (await bob("PUT", f"/api/rooms/{room}/members/{ann.id}", {"role": "member"})).status_code == 403
        assert (await ann("DELETE", f"/api/privacy/blocks/{bob.id}")).status_code == 204
        assert (await ann("DELETE", f"/api/privacy/blocks/{bob.id}")).status_code == 404
        assert (await bob("PUT", f"/api/rooms/{room}/members/{ann.id}", {"role": "member"})).status_code == 200
        assert (await ann("PUT", f"/api/privacy/blocks/{ann.id}")).status_code == 422
        assert (await ann("PUT", f"/api/privacy/blocks/{new_id()}")).status_code == 404
