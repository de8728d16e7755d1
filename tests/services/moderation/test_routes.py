"""The REST of moderation: reports, the queue, decisions, blocks, appeals, the audit log."""

from __future__ import annotations

from typing import Any

import pytest

from chat.domain.audit_notes import NoteCode, make_note
from chat.domain.cases import POLICY, AuditEntry, Case, CaseAction, CaseKind, message_subject
from chat.domain.conversations import dm_key
from chat.domain.ids import new_id
from chat.domain.models import InstanceRole
from chat.domain.records import Deleted, Moderated, Restored
from chat.settings import Settings
from tests.support.moderated_room import ModeratedRoom
from tests.support.rest import open_rest
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio


async def test_a_report_waits_in_the_queue(world: ModeratedRoom) -> None:
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


async def test_a_direct_message_is_reported_by_who_got_it(world: ModeratedRoom) -> None:
    await world.rest.say(dm_key(world.ann.id, world.ben.id), world.ann, "psst")
    body = {"with": world.ann.id, "seq": 1}
    assert (await world.ben("POST", "/api/moderation/reports", body)).status_code == 201
    assert (await world.stranger("POST", "/api/moderation/reports", body)).status_code == 404
    (case,) = (await world.mod("GET", "/api/moderation/queue")).json()["cases"]
    assert (case["room"], set(case["users"]), case["text"]) == (None, {world.ann.id, world.ben.id}, "psst")


async def test_a_message_is_read_among_those_around_it(world: ModeratedRoom) -> None:
    for number in range(9):
        await world.rest.say(world.key, world.ben, f"later {number}")
    report = await world.ann("POST", "/api/moderation/reports", {"room": world.room, "seq": 7})
    page = (await world.mod("GET", f"/api/moderation/queue/{report.json()['id']}/context")).json()
    assert [each["seq"] for each in page["messages"]] == list(range(2, 13))
    assert (page["seq"], page["more"], page["more_before"]) == (7, False, True)
    assert page["messages"][0]["sender"]["name"] == "Ann"


async def test_what_stands_around_a_direct_message_is_for_the_two_alone(world: ModeratedRoom) -> None:
    await world.rest.say(dm_key(world.ann.id, world.ben.id), world.ann, "psst")
    report = await world.ben("POST", "/api/moderation/reports", {"with": world.ann.id, "seq": 1})
    for case in (report.json()["id"], new_id()):
        answer = await world.mod("GET", f"/api/moderation/queue/{case}/context")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_reason_that_shows_nothing_is_none(world: ModeratedRoom) -> None:
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
    world: ModeratedRoom, who: str, body: dict[str, Any], status: int, field: str | None
) -> None:
    if body.get("room") == "ROOM":
        body = {**body, "room": world.room}
    answer = await getattr(world, who)("POST", "/api/moderation/reports", body)
    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert (await world.mod("GET", "/api/moderation/queue")).json()["cases"] == []


async def test_what_was_withdrawn_is_not_reported(world: ModeratedRoom) -> None:
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
        ("GET", "/queue/00000000-0000-4000-8000-000000000000/context"),
        ("POST", "/queue/00000000-0000-4000-8000-000000000000"),
        ("GET", "/blocks"),
        ("PUT", "/blocks/00000000-0000-4000-8000-000000000000"),
        ("DELETE", "/blocks/00000000-0000-4000-8000-000000000000"),
        ("GET", "/audit"),
    ],
)
async def test_only_moderators_moderate(world: ModeratedRoom, method: str, path: str) -> None:
    body = {"verdict": "allow"} if method == "POST" else None
    assert (await world.ann(method, f"/api/moderation{path}", body)).status_code == 403
    assert (await world.rest(method, f"/api/moderation{path}", body)).status_code == 401


async def test_who_has_a_role_in_the_instance_moderates_until_it_ends(world: ModeratedRoom) -> None:
    accounts = world.rest.services.accounts
    for role in InstanceRole:
        await accounts.set_instance_role(world.ben.id, role)
        assert (await world.ben("GET", "/api/moderation/audit")).status_code == 200
        assert (await world.ben("GET", "/api/auth/me")).json()["moderator"] is True
        assert (await world.mod("PUT", f"/api/moderation/blocks/{world.ben.id}", {})).status_code == 403
    await accounts.set_instance_role(world.ben.id, None)
    assert (await world.ben("GET", "/api/moderation/audit")).status_code == 403
    assert (await world.ben("GET", "/api/auth/me")).json()["moderator"] is False


async def test_a_reported_text_is_removed(world: ModeratedRoom) -> None:
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


async def test_a_removal_is_undone(world: ModeratedRoom) -> None:
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


async def test_what_its_author_deleted_does_not_come_back(world: ModeratedRoom) -> None:
    await world.withdraw(2, world.ann)
    deleted = Deleted(conversation=world.key, actor=world.ann.id, ts=5, seq=2)

    await world.rest.services.history.apply_batch([], [deleted])
    (case,) = (await world.mod("GET", "/api/moderation/queue?state=decided")).json()["cases"]
    await world.mod("POST", f"/api/moderation/queue/{case['id']}", {"verdict": "allow"})
    assert await world.records() == []


async def test_a_decision_to_block_is_undone_too(world: ModeratedRoom) -> None:
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
async def test_a_bad_decision_is_refused(world: ModeratedRoom, case: str, body: dict[str, Any], status: int) -> None:
    made = (await world.ben("POST", "/api/moderation/reports", {"room": world.room, "seq": 2})).json()["id"]
    answer = await world.mod("POST", f"/api/moderation/queue/{made if case == 'CASE' else case}", body)
    assert answer.status_code == status
    assert len((await world.mod("GET", "/api/moderation/queue")).json()["cases"]) == 1


async def test_queue_blocks_and_audit_are_paged(world: ModeratedRoom) -> None:
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
    assert [(entry["action"], entry["note"]) for entry in of_ben["entries"]] == [("block", None)]


async def test_the_audit_log_tells_what_operators_did_by_code(world: ModeratedRoom) -> None:
    note = make_note(NoteCode.ROOM_OWNER, room=world.room)
    entry = AuditEntry(
        id=new_id(), at=1, by="operator:ann", action=CaseAction.OWNER, user=world.ben.id, reason=note.text, note=note
    )
    await world.rest.services.cases.add_audit_entry(entry)
    (shown,) = (await world.mod("GET", f"/api/moderation/audit?user={world.ben.id}")).json()["entries"]
    assert shown["note"] == {"code": "room_owner", "values": {"room": world.room}}
    assert shown["reason"] == f"made an owner of room:{world.room}"


async def test_an_author_appeals_once(world: ModeratedRoom) -> None:
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


async def test_owners_and_moderators_say_how_strict_a_room_is(world: ModeratedRoom) -> None:
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


async def test_the_role_of_moderation_serves_these_routes_alone(world: ModeratedRoom) -> None:
    settings = make_settings(rate_limits=False)
    async with open_rest(settings=settings, roles=("moderation",)) as rest:
        assert (await rest("GET", "/api/moderation/queue")).status_code == 401
        assert (await rest.http.get("/api/rooms")).status_code == 404


async def test_nothing_is_withdrawn_by_a_decision_that_cannot_be_carried_out(world: ModeratedRoom) -> None:
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
