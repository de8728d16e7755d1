"""What users decide about themselves: who may add them to rooms, and whom they block."""

from __future__ import annotations

import pytest

from chat.domain.ids import new_id
from tests.support.rest import open_rest
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
