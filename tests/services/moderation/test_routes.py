"""The REST of moderation: reports, the queue, decisions, blocks, appeals, the audit log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from chat.domain.cases import POLICY, AuditEntry, Case, CaseAction, CaseKind, CaseState, message_subject
from chat.domain.conversations import dm_key, room_key
from chat.domain.ids import new_id
from chat.domain.models import InstanceRole
from chat.domain.moderation import Verdict
from chat.domain.records import Deleted, Moderated, Restored
from chat.engines.authority import LocalAuthority
from chat.errors import Blocked, Unauthorized
from chat.settings import Settings
from chat.wire.records import DM_TOPIC, ROOM_TOPIC, decode_record
from tests.support.rest import Rest, User, open_rest
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio


class World:
    """A moderator, Ann with a room in which she and Ben talk, and a stranger."""

    def __init__(self, rest: Rest, people: list[User], room: str) -> None:
        self.rest = rest
        self.mod, self.ann, self.ben, self.stranger = people
        self.room = room
        self.key = room_key(room)

    async def withdraw(self, seq: int, user: User, reason: str = "rude") -> None:
        """As the workers do."""
        record = Moderated(conversation=self.key, actor=POLICY, ts=self.rest.clock(), seq=seq, reason=reason)
        assert await self.rest.services.history.apply_batch([], [record]) == [True]
        now = self.rest.clock()
        case = Case(
            id=new_id(),
            subject=message_subject(self.key, seq),
            kind=CaseKind.REMOVED,
            user=user.id,
            opened=now,
            state=CaseState.DECIDED,
            conversation=self.key,
            seq=seq,
            client_id="c",
            revision=0,
            rule="slurs",
            reason=reason,
            verdict=Verdict.REMOVE,
            decided_by=POLICY,
            decided=now,
        )
        entry = AuditEntry(id=new_id(), at=now, by=POLICY, action=CaseAction.REMOVE, user=user.id)
        await self.rest.services.cases.record_verdict(case, entry)

    async def records(self) -> list[Any]:
        """What was appended to the log, of rooms and then of direct messages."""
        log: Any = self.rest.services.log
        found = [await log.read_recent(topic, 0, 100) for topic in (ROOM_TOPIC, DM_TOPIC)]
        return [decode_record(record.value) for records in found for record in records]

    async def apply(self) -> None:
        """As the persistence worker does."""
        await self.rest.services.history.apply_batch([], await self.records())


@pytest.fixture
async def world() -> AsyncIterator[World]:
    settings = make_settings(rate_limits=False, moderators=("Mod", "someone-else"))
    async with open_rest(settings=settings) as rest:
        people = [await rest.user(name) for name in ("mod", "Ann", "Ben", "Stranger")]
        room = await people[1].room()
        await people[2]("POST", f"/api/rooms/{room}/join")
        made = World(rest, people, room)
        await rest.say(made.key, people[1], "hello", "something rude", "good bye")
        yield made


async def test_a_report_waits_in_the_queue(world: World) -> None:
    body = {"room": world.room, "seq": 2, "reason": "insults"}
    answer = await world.ben("POST", "/api/moderation/reports", body)
    assert answer.status_code == 201
    page = (await world.mod("GET", "/api/moderation/queue")).json()
    (case,) = page["cases"]
    assert page["more"] is False
    assert case["id"] == answer.json()["id"]
    assert (case["kind"], case["state"], case["room"], case["seq"]) == ("reported", "open", world.room, 2)
    assert (case["user"], case["text"]) == ({"id": world.ann.id, "name": "Ann"}, "something rude")
    assert [(each["user"], each["reason"]) for each in case["reports"]] == [(world.ben.id, "insults")]
    again = await world.ben("POST", "/api/moderation/reports", body)
    assert again.json() == answer.json()
    (same,) = (await world.mod("GET", "/api/moderation/queue")).json()["cases"]
    assert same == case


async def test_a_direct_message_is_reported_by_who_got_it(world: World) -> None:
    await world.rest.say(dm_key(world.ann.id, world.ben.id), world.ann, "psst")
    body = {"with": world.ann.id, "seq": 1}
    assert (await world.ben("POST", "/api/moderation/reports", body)).status_code == 201
    assert (await world.stranger("POST", "/api/moderation/reports", body)).status_code == 404
    (case,) = (await world.mod("GET", "/api/moderation/queue")).json()["cases"]
    assert (case["room"], set(case["users"]), case["text"]) == (None, {world.ann.id, world.ben.id}, "psst")


async def test_a_reason_that_shows_nothing_is_none(world: World) -> None:
    body = {"room": world.room, "seq": 2, "reason": "\u200b\u3164 "}
    assert (await world.ben("POST", "/api/moderation/reports", body)).status_code == 201
    (case,) = (await world.mod("GET", "/api/moderation/queue")).json()["cases"]
    assert [each["reason"] for each in case["reports"]] == [""]


@pytest.mark.parametrize(
    ("who", "body", "status", "field"),
    [
        ("stranger", {"room": "ROOM", "seq": 2}, 403, None),
        ("ben", {"room": "ROOM", "seq": 9}, 404, None),
        ("ben", {"room": new_id(), "seq": 1}, 404, None),
        ("ann", {"room": "ROOM", "seq": 2}, 409, "seq"),
        ("ben", {"seq": 2}, 422, None),
        ("ben", {"room": "ROOM", "with": new_id(), "seq": 2}, 422, None),
        ("ben", {"room": "ROOM", "seq": 0}, 422, "seq"),
        ("ben", {"room": "x", "seq": 1}, 422, "room"),
        ("ben", {"room": "ROOM", "seq": 2, "reason": "x" * 501}, 422, "reason"),
        ("ben", {"room": "ROOM", "seq": 2, "reason": "x\0"}, 422, "reason"),
        ("ben", {"room": "ROOM", "seq": 2, "reason": "x" + "\u0301" * 31}, 422, "reason"),
    ],
)
async def test_a_report_that_makes_no_sense_is_refused(
    world: World, who: str, body: dict[str, Any], status: int, field: str | None
) -> None:
    if body.get("room") == "ROOM":
        body = {**body, "room": world.room}
    answer = await getattr(world, who)("POST", "/api/moderation/reports", body)
    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert (await world.mod("GET", "/api/moderation/queue")).json()["cases"] == []


async def test_what_was_withdrawn_is_not_reported(world: World) -> None:
    await world.withdraw(2, world.ann)
    assert (await world.ben("POST", "/api/moderation/reports", {"room": world.room, "seq": 2})).status_code == 409


async def test_reports_have_a_rate() -> None:
    async with open_rest(settings=Settings()) as rest:
        ann = await rest.user()
        body = {"room": new_id(), "seq": 1}
        codes = [(await ann("POST", "/api/moderation/reports", body)).status_code for _ in range(31)]
        assert codes == [404] * 30 + [429]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/queue"),
        ("POST", "/queue/00000000-0000-4000-8000-000000000000"),
        ("GET", "/blocks"),
        ("PUT", "/blocks/00000000-0000-4000-8000-000000000000"),
        ("DELETE", "/blocks/00000000-0000-4000-8000-000000000000"),
        ("GET", "/audit"),
    ],
)
async def test_only_moderators_moderate(world: World, method: str, path: str) -> None:
    body = {"verdict": "allow"} if method == "POST" else None
    assert (await world.ann(method, f"/api/moderation{path}", body)).status_code == 403
    assert (await world.rest(method, f"/api/moderation{path}", body)).status_code == 401


async def test_who_has_a_role_in_the_instance_moderates_until_it_ends(world: World) -> None:
    accounts = world.rest.services.accounts
    for role in InstanceRole:
        await accounts.set_instance_role(world.ben.id, role)
        assert (await world.ben("GET", "/api/moderation/audit")).status_code == 200
        assert (await world.ben("GET", "/api/auth/me")).json()["moderator"] is True
        assert (await world.mod("PUT", f"/api/moderation/blocks/{world.ben.id}", {})).status_code == 403
    await accounts.set_instance_role(world.ben.id, None)
    assert (await world.ben("GET", "/api/moderation/audit")).status_code == 403
    assert (await world.ben("GET", "/api/auth/me")).json()["moderator"] is False


async def test_a_reported_text_is_removed(world: World) -> None:
    case = (await world.ben("POST", "/api/moderation/reports", {"room": world.room, "seq": 2})).json()["id"]
    answer = await world.mod("POST", f"/api/moderation/queue/{case}", {"verdict": "remove", "reason": "insults"})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["state"], body["verdict"], body["decided_by"]) == ("decided", "remove", world.mod.id)
    (record,) = await world.records()
    assert (type(record), record.seq, record.reason, record.actor) == (Moderated, 2, "insults", world.mod.id)
    await world.apply()
    assert (await world.mod("GET", "/api/moderation/queue")).json()["cases"] == []
    (decided,) = (await world.mod("GET", "/api/moderation/queue?state=decided")).json()["cases"]
    assert (decided["id"], decided["text"]) == (case, "something rude")


async def test_a_removal_is_undone(world: World) -> None:
    await world.withdraw(2, world.ann)
    (case,) = (await world.mod("GET", "/api/moderation/queue?state=decided")).json()["cases"]
    assert (case["rule"], case["decided_by"], case["text"]) == ("slurs", "moderation", "something rude")
    await world.mod("POST", f"/api/moderation/queue/{case['id']}", {"verdict": "allow"})
    (record,) = await world.records()
    assert (type(record), record.seq, record.text) == (Restored, 2, "something rude")
    await world.apply()
    items = (await world.ben("GET", f"/api/rooms/{world.room}/messages?after=1&limit=1")).json()["messages"]
    assert [(item["text"], item["moderated"]) for item in items] == [("something rude", False)]
    await world.mod("POST", f"/api/moderation/queue/{case['id']}", {"verdict": "allow"})
    assert len(await world.records()) == 1


async def test_what_its_author_deleted_does_not_come_back(world: World) -> None:
    await world.withdraw(2, world.ann)
    deleted = Deleted(conversation=world.key, actor=world.ann.id, ts=5, seq=2)

    await world.rest.services.history.apply_batch([], [deleted])
    (case,) = (await world.mod("GET", "/api/moderation/queue?state=decided")).json()["cases"]
    await world.mod("POST", f"/api/moderation/queue/{case['id']}", {"verdict": "allow"})
    assert await world.records() == []


async def test_a_decision_to_block_is_undone_too(world: World) -> None:
    case = (await world.ben("POST", "/api/moderation/reports", {"room": world.room, "seq": 2})).json()["id"]
    await world.mod("POST", f"/api/moderation/queue/{case}", {"verdict": "block", "reason": "enough", "seconds": 60})
    refused = await world.ann("GET", "/api/auth/me")
    assert (refused.status_code, refused.json()["code"]) == (403, "blocked")
    (block,) = (await world.mod("GET", "/api/moderation/blocks")).json()["blocks"]
    assert (block["user"]["name"], block["by"], block["reason"]) == ("Ann", world.mod.id, "enough")
    await world.mod("POST", f"/api/moderation/queue/{case}", {"verdict": "allow"})
    assert (await world.ann("GET", "/api/auth/me")).status_code == 200
    assert (await world.mod("GET", "/api/moderation/blocks")).json() == {"blocks": [], "more": False}


@pytest.mark.parametrize(
    ("case", "body", "status"),
    [
        ("00000000-0000-4000-8000-000000000000", {"verdict": "allow"}, 404),
        ("x", {"verdict": "allow"}, 422),
        ("CASE", {"verdict": "flag"}, 422),
        ("CASE", {"verdict": "burn"}, 422),
        ("CASE", {}, 422),
        ("CASE", {"verdict": "block", "seconds": 0}, 422),
    ],
)
async def test_a_bad_decision_is_refused(world: World, case: str, body: dict[str, Any], status: int) -> None:
    made = (await world.ben("POST", "/api/moderation/reports", {"room": world.room, "seq": 2})).json()["id"]
    answer = await world.mod("POST", f"/api/moderation/queue/{made if case == 'CASE' else case}", body)
    assert answer.status_code == status
    assert len((await world.mod("GET", "/api/moderation/queue")).json()["cases"]) == 1


async def test_queue_blocks_and_audit_are_paged(world: World) -> None:
    for seq in (1, 2, 3):
        await world.ben("POST", "/api/moderation/reports", {"room": world.room, "seq": seq})
        world.rest.clock.now += 1000
    first = (await world.mod("GET", "/api/moderation/queue?limit=2")).json()
    assert ([case["seq"] for case in first["cases"]], first["more"]) == ([1, 2], True)
    rest = (await world.mod("GET", f"/api/moderation/queue?limit=2&after={first['cases'][-1]['id']}")).json()
    assert ([case["seq"] for case in rest["cases"]], rest["more"]) == ([3], False)
    assert (await world.mod("GET", f"/api/moderation/queue?after={new_id()}")).status_code == 404
    assert (await world.mod("GET", "/api/moderation/queue?state=odd")).status_code == 422
    for user in (world.ann, world.ben):
        world.rest.clock.now += 1000
        assert (await world.mod("PUT", f"/api/moderation/blocks/{user.id}", {"reason": "x"})).status_code == 204
    blocks = (await world.mod("GET", "/api/moderation/blocks?limit=1")).json()
    assert blocks["more"] is True
    after = blocks["blocks"][0]["user"]["id"]
    assert len((await world.mod("GET", f"/api/moderation/blocks?after={after}")).json()["blocks"]) == 1
    audit = (await world.mod("GET", "/api/moderation/audit?limit=2")).json()
    assert [(entry["action"], entry["user"]) for entry in audit["entries"]] == [
        ("block", world.ben.id),
        ("block", world.ann.id),
    ]
    older = (await world.mod("GET", f"/api/moderation/audit?before={audit['entries'][-1]['id']}")).json()
    assert [entry["action"] for entry in older["entries"]] == ["report"] * 3
    of_ben = (await world.mod("GET", f"/api/moderation/audit?user={world.ben.id}")).json()
    assert [entry["action"] for entry in of_ben["entries"]] == ["block"]


async def test_blocks_by_hand(world: World) -> None:
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
async def test_the_blocked_learn_why_and_until_when(world: World, seconds: int | None, until: bool) -> None:
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


async def test_who_has_a_wrong_password_does_not_learn_of_a_block(world: World) -> None:
    await world.mod("PUT", f"/api/moderation/blocks/{world.ann.id}", {"reason": "spam"})
    answer = await world.rest("POST", "/api/auth/login", {"name": "Ann", "password": "another password"})
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_login")
    assert "spam" not in answer.text


async def test_nobody_blocks_moderators_themselves_or_nobody(world: World) -> None:
    other = await world.rest.user("Someone-Else")
    assert (await world.mod("PUT", f"/api/moderation/blocks/{world.mod.id}")).status_code == 422
    assert (await world.mod("PUT", f"/api/moderation/blocks/{other.id}")).status_code == 403
    assert (await world.mod("PUT", f"/api/moderation/blocks/{new_id()}")).status_code == 404
    bad = await world.mod("PUT", f"/api/moderation/blocks/{world.ann.id}", {"seconds": 0})
    assert (bad.status_code, bad.json()["field"]) == (422, "seconds")


async def test_an_author_appeals_once(world: World) -> None:
    body = {"room": world.room, "seq": 2, "text": "it was a quotation"}
    assert (await world.ann("POST", "/api/moderation/appeals", body)).status_code == 409
    await world.withdraw(2, world.ann)
    assert (await world.ben("POST", "/api/moderation/appeals", body)).status_code == 403
    for unseen in ("", " ", "\u200b\u3164", "\u2800"):
        answer = await world.ann("POST", "/api/moderation/appeals", {**body, "text": unseen})
        assert (answer.status_code, answer.json()["field"]) == (422, "text")
    answer = await world.ann("POST", "/api/moderation/appeals", body)
    assert answer.status_code == 201
    (case,) = (await world.mod("GET", "/api/moderation/queue")).json()["cases"]
    assert (case["id"], case["appeal"], case["rule"]) == (answer.json()["id"], "it was a quotation", "slurs")
    assert (await world.ann("POST", "/api/moderation/appeals", body)).status_code == 409
    await world.mod("POST", f"/api/moderation/queue/{case['id']}", {"verdict": "remove"})
    assert await world.records() == []  # withdrawn it is
    assert (await world.ann("POST", "/api/moderation/appeals", body)).status_code == 409


async def test_a_blocked_user_appeals_by_name_and_password(world: World) -> None:
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


async def test_owners_and_moderators_say_how_strict_a_room_is(world: World) -> None:
    path = f"/api/moderation/rooms/{world.room}"
    assert (await world.ben("GET", path)).json() == {"strictness": "normal", "held": False}
    assert (await world.ben("PUT", path, {"strictness": "strict"})).status_code == 403
    assert (await world.stranger("GET", path)).status_code == 403
    assert (await world.ann("PUT", path, {"strictness": "strict"})).status_code == 204
    assert (await world.ben("GET", path)).json() == {"strictness": "strict", "held": False}
    assert (await world.mod("PUT", path, {"strictness": "relaxed"})).status_code == 204
    assert (await world.mod("GET", path)).json() == {"strictness": "relaxed", "held": False}
    assert (await world.mod("PUT", f"/api/moderation/rooms/{new_id()}", {"strictness": "strict"})).status_code == 404
    assert (await world.ann("PUT", path, {"strictness": "odd"})).status_code == 422
    for held in (True, False):
        assert (await world.ann("PUT", path, {"strictness": "normal", "held": held})).status_code == 204
        assert (await world.ben("GET", path)).json() == {"strictness": "normal", "held": held}


async def test_the_role_of_moderation_serves_these_routes_alone(world: World) -> None:
    settings = make_settings(rate_limits=False)
    async with open_rest(settings=settings, roles=("moderation",)) as rest:
        assert (await rest("GET", "/api/moderation/queue")).status_code == 401
        assert (await rest.http.get("/api/rooms")).status_code == 404


async def test_nothing_is_withdrawn_by_a_decision_that_cannot_be_carried_out(world: World) -> None:
    now = world.rest.clock()
    case = Case(
        id=new_id(),
        subject=message_subject(world.key, 1),
        kind=CaseKind.FLAGGED,
        user=world.mod.id,
        opened=now,
        conversation=world.key,
        seq=1,
        revision=0,
    )
    entry = AuditEntry(id=new_id(), at=now, by=POLICY, action=CaseAction.FLAG, user=world.mod.id)
    await world.rest.services.cases.record_verdict(case, entry)
    answer = await world.mod("POST", f"/api/moderation/queue/{case.id}", {"verdict": "block"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert await world.records() == []
    (kept,) = (await world.mod("GET", "/api/moderation/queue")).json()["cases"]
    assert kept["id"] == case.id


async def test_a_room_whose_last_owner_was_blocked_gets_another_from_the_moderators(world: World) -> None:
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


async def test_a_blocked_user_is_told_so_although_the_block_ended_the_log_in(world: World) -> None:
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
