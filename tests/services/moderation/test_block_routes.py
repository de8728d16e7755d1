"""The REST of moderation: blocks by hand, what the blocked learn, and their appeals."""

from __future__ import annotations

from typing import Any, cast

import pytest

from chat.domain.ids import new_id
from chat.engines.authority import LocalAuthority
from chat.errors import Blocked, Unauthorized
from tests.support.moderated_room import ModeratedRoom

pytestmark = pytest.mark.anyio


async def test_blocks_by_hand(world: ModeratedRoom) -> None:
    path = f"/api/moderation/blocks/{world.ann.id}"
    assert (await world.mod("DELETE", path)).status_code == 404
    assert (await world.mod("PUT", path)).status_code == 204
    assert (await world.ann("GET", "/api/rooms")).status_code == 403
    login = {"name": "Ann", "password": "a long password"}
    assert (await world.rest("POST", "/api/auth/login", login)).json()["code"] == "blocked"
    assert (await world.rest("POST", "/api/auth/refresh", {"refresh_token": world.ann.refresh})).status_code == 401
    assert (await world.mod("PUT", path, {"seconds": 60})).status_code == 204
    assert (await world.mod("DELETE", path)).status_code == 204
    assert (await world.ann("GET", "/api/rooms")).status_code == 200


@pytest.mark.parametrize(("seconds", "until"), [(60, True), (None, False)])
async def test_the_blocked_learn_why_and_until_when(world: ModeratedRoom, seconds: int | None, until: bool) -> None:
    path = f"/api/moderation/blocks/{world.ann.id}"
    await world.mod("PUT", path, {"seconds": seconds, "reason": "spam in the den"})
    login = {"name": "Ann", "password": "a long password"}
    for answer in (await world.rest("POST", "/api/auth/login", login), await world.ann("GET", "/api/rooms")):
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["reason"]) == (403, "blocked", "spam in the den")
        assert "spam in the den" in problem["detail"]
        (block,) = (await world.mod("GET", "/api/moderation/blocks")).json()["blocks"]
        assert problem.get("until") == block["until"]
        assert ("until" in problem) == until
        assert ("UTC" in problem["detail"]) == until


async def test_who_has_a_wrong_password_does_not_learn_of_a_block(world: ModeratedRoom) -> None:
    await world.mod("PUT", f"/api/moderation/blocks/{world.ann.id}", {"reason": "spam"})
    answer = await world.rest("POST", "/api/auth/login", {"name": "Ann", "password": "another password"})
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_login")
    assert "spam" not in answer.text


async def test_nobody_blocks_moderators_themselves_or_nobody(world: ModeratedRoom) -> None:
    other = await world.rest.user("Someone-Else")
    assert (await world.mod("PUT", f"/api/moderation/blocks/{world.mod.id}")).status_code == 422
    assert (await world.mod("PUT", f"/api/moderation/blocks/{other.id}")).status_code == 403
    assert (await world.mod("PUT", f"/api/moderation/blocks/{new_id()}")).status_code == 404
    bad = await world.mod("PUT", f"/api/moderation/blocks/{world.ann.id}", {"seconds": 0})
    assert (bad.status_code, bad.json()["field"]) == (422, "seconds")


async def test_a_blocked_user_appeals_by_name_and_password(world: ModeratedRoom) -> None:
    body = {"name": "ann", "password": "a long password", "text": "I am sorry"}
    assert (await world.rest("POST", "/api/moderation/appeals/block", body)).status_code == 409
    await world.mod("PUT", f"/api/moderation/blocks/{world.ann.id}", {"reason": "spam"})
    for wrong in ({"password": "wrong password"}, {"name": "nobody"}):
        refused = await world.rest("POST", "/api/moderation/appeals/block", {**body, **wrong})
        assert (refused.status_code, refused.json()["code"]) == (401, "wrong_login")
    assert (await world.rest("POST", "/api/moderation/appeals/block", body)).status_code == 201
    assert (await world.rest("POST", "/api/moderation/appeals/block", body)).status_code == 409
    (case,) = (await world.mod("GET", "/api/moderation/queue")).json()["cases"]
    assert (case["kind"], case["seq"], case["reason"], case["appeal"]) == ("blocked", None, "spam", "I am sorry")
    await world.mod("POST", f"/api/moderation/queue/{case['id']}", {"verdict": "allow"})
    assert (await world.ann("GET", "/api/auth/me")).status_code == 200
    assert await world.records() == []


async def test_a_room_whose_last_owner_was_blocked_gets_another_from_the_moderators(world: ModeratedRoom) -> None:
    path, body = f"/api/moderation/rooms/{world.room}/owner", {"user": world.ben.id}
    assert (await world.mod("PUT", path, body)).status_code == 409
    assert (await world.mod("PUT", f"/api/moderation/blocks/{world.ann.id}")).status_code == 204
    assert (await world.ben("PUT", path, body)).status_code == 403
    refused = await world.mod("PUT", path, {"user": world.ann.id})
    assert (refused.status_code, refused.json()["field"]) == (409, "user")
    assert (await world.mod("PUT", path, {"user": new_id()})).status_code == 404
    assert (await world.mod("PUT", f"/api/moderation/rooms/{new_id()}/owner", body)).status_code == 404
    assert (await world.mod("PUT", path, body)).status_code == 204
    assert (await world.ben("GET", f"/api/rooms/{world.room}")).json()["role"] == "owner"
    assert (await world.mod("PUT", path, {"user": world.stranger.id})).status_code == 409
    (entry,) = (await world.mod("GET", f"/api/moderation/audit?user={world.ben.id}")).json()["entries"]
    assert (entry["action"], entry["by"], entry["user"]) == ("owner", world.mod.id, world.ben.id)
    assert world.room in entry["reason"]


async def test_a_blocked_user_is_told_so_although_the_block_ended_the_log_in(world: ModeratedRoom) -> None:
    keys = world.rest.services.keys
    assert (await world.mod("PUT", f"/api/moderation/blocks/{world.ben.id}", {"reason": "spam"})).status_code == 204
    keys.end_log_in(keys.verify_token(world.ben.access).family)  # as a process knows that starts now
    answer = await world.ben("GET", "/api/rooms")
    assert (answer.status_code, answer.json()["code"]) == (403, "blocked")
    authority = LocalAuthority(
        world.rest.services.keys, world.rest.services.accounts, cast("Any", None), world.rest.services.relay
    )
    with pytest.raises(Blocked):
        await authority.check_token(world.ben.access)
    assert (await world.mod("DELETE", f"/api/moderation/blocks/{world.ben.id}")).status_code == 204
    assert (await world.ben("GET", "/api/rooms")).status_code == 401
    with pytest.raises(Unauthorized, match="has ended"):
        await authority.check_token(world.ben.access)
