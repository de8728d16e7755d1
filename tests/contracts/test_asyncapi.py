"""The AsyncAPI document against the code: the commands' structs, the events' builders, the close and error codes.

The document is generated from the same structs. These tests read it as a client would, and do not use the generator.
The end-to-end tests hold every frame that a real server sends against it, too: see `tests.support.people.Chat`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chat import errors
from chat.domain.conversations import dm_key, room_key
from chat.domain.models import Message, PresenceState
from chat.domain.records import Deleted, Edited, Moderated, Reacted, Read, Sent
from chat.wire import commands
from chat.wire.close import MEANINGS, CloseCode, should_reconnect
from chat.wire.events import (
    AuthOk,
    ClosingEvent,
    ErrorAnswer,
    FollowOk,
    GapEvent,
    HistoryDirectMessage,
    HistoryMessage,
    OkAnswer,
    Person,
    PresenceOk,
    ServerFrame,
    SubscribeOk,
    SyncOk,
)
from chat.wire.message_frames import history_item, history_message, live_dm_event, message_event
from rookery.client import events as client_events
from scripts.lib import asyncapi
from scripts.lib.wire_contract import Contract
from tests.support.asyncapi import check_frame, document, faults
from workers.publications import change_publications, message_publications

ROOM = "0b0e7ad8-5f0c-4b5e-8b1c-000000000001"
ADA = "0b0e7ad8-5f0c-4b5e-8b1c-00000000000a"
BOB = "0b0e7ad8-5f0c-4b5e-8b1c-00000000000b"
KINDS: tuple[type[commands.Command], ...] = commands.AnyCommand.__args__
_LIMITS = ("pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


def tag_of(kind: type[commands.Command]) -> str:
    return str(kind.__struct_config__.tag)


def walk(node: Any, path: str = "#") -> Iterator[tuple[str, Any]]:
    yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from walk(value, f"{path}/{index}")


def resolve(node: Any, root: Any) -> Any:
    """The node that a `$ref` names, as far as it takes; any other node as it is."""
    while isinstance(node, dict) and "$ref" in node:
        node = lookup(node["$ref"], root)
    return node


def lookup(reference: str, root: Any) -> Any:
    node = root
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def limits(node: Any, root: Any) -> dict[str, Any]:
    """What a schema demands of a value: its type and limits, through references and the `null` that may stand by."""
    node = resolve(node, root)
    for choice in node.get("anyOf", ()):
        if resolve(choice, root).get("type") != "null":
            return {**limits(choice, root), "nullable": True}
    found = {key: node[key] for key in (*_LIMITS, "type") if key in node}
    if "enum" in node:
        found["enum"] = sorted(node["enum"])
        found.pop("type", None)
    if "items" in node:
        found["items"] = limits(node["items"], root)
    return found


# The document itself.


def test_it_is_asyncapi_3_and_every_reference_leads_somewhere() -> None:
    found = document()
    assert found["asyncapi"] == "3.0.0"
    assert {"info", "servers", "channels", "operations", "components"} <= set(found)
    for path, node in walk(found):
        if isinstance(node, dict):
            assert all(isinstance(key, str) for key in node), path
        if isinstance(node, dict) and "$ref" in node:
            assert set(node) == {"$ref"}, f"{path}: what stands beside a $ref does not count"
            assert lookup(node["$ref"], found), path


def test_every_message_and_schema_is_used() -> None:
    found = document()
    used = {node["$ref"] for _, node in walk(found) if isinstance(node, dict) and "$ref" in node}
    for section in ("messages", "schemas"):
        for name in found["components"][section]:
            assert f"#/components/{section}/{name}" in used, name
    in_operations = {ref for path, node in walk(found["operations"]) if path.endswith("$ref") for ref in [node]}
    for name in found["channels"]["edge"]["messages"]:
        assert f"#/channels/edge/messages/{name}" in in_operations, name


@pytest.mark.parametrize("key", document()["components"]["messages"])
def test_a_message_has_a_summary_and_an_example_that_validates(key: str) -> None:
    found = document()["components"]["messages"][key]
    assert found["summary"]
    schema = found["payload"]["$ref"].rpartition("/")[2]
    for example in found["examples"]:
        assert faults(schema, example["payload"]) == []
        if schema.startswith("command."):
            assert tag_of(type(commands.decode_command(json.dumps(example["payload"]).encode()))) == found["name"]


@pytest.mark.parametrize(("path", "text"), asyncapi.make_pages(Contract()).items(), ids=lambda value: str(value)[-12:])
def test_what_is_generated_is_current(path: Path, text: str) -> None:
    assert path.read_text() == text


# Commands.


@pytest.mark.parametrize("kind", KINDS, ids=tag_of)
def test_a_command_has_its_schema(kind: type[commands.Command]) -> None:
    tag = tag_of(kind)
    found = document()
    (ours,), components = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    root = {"$defs": components}
    struct = resolve(ours, root)
    written = found["components"]["schemas"][f"command.{tag}"]
    assert set(written["properties"]) == set(struct["properties"])
    assert set(written["required"]) == set(struct["required"])
    assert written["properties"]["type"] == {"const": tag}
    for name, schema in struct["properties"].items():
        if name != "type":
            assert limits(written["properties"][name], found) == limits(schema, root), name


@pytest.mark.parametrize("kind", KINDS, ids=tag_of)
def test_a_command_is_an_operation_with_its_answers(kind: type[commands.Command]) -> None:
    found = document()
    operation = found["operations"][tag_of(kind)]
    assert operation["action"] == "receive"
    message = resolve(operation["messages"][0], found)
    assert message["payload"] == {"$ref": f"#/components/schemas/command.{tag_of(kind)}"}
    names = [resolve(answer, found)["name"] for answer in operation["reply"]["messages"]]
    assert names == ["ok", "error"]


def test_there_is_no_command_but_ours() -> None:
    written = {name.removeprefix("command.") for name in document()["components"]["schemas"] if "command." in name}
    assert written == {tag_of(kind) for kind in KINDS}


def test_a_command_about_a_message_names_one_conversation() -> None:
    about = {"type": "typing", "id": 1}
    assert faults("command.typing", {**about, "room": ROOM}) == []
    assert faults("command.typing", {**about, "with": ADA}) == []
    assert faults("command.typing", about)
    assert faults("command.typing", {**about, "room": ROOM, "with": ADA})


# Answers and events.


def message(conversation: str, **more: Any) -> Message:
    fields: dict[str, Any] = {
        "conversation": conversation,
        "seq": 7,
        "sender": ADA,
        "sender_name": "ada",
        "text": "hello @bob",
        "ts": 1_767_312_245_678,
        "client_id": BOB,
    }
    return Message(**{**fields, **more})


def as_json(event: Any) -> Any:
    """As a client reads it."""
    return json.loads(event if isinstance(event, bytes) else msgspec.json.encode(event))


DIRECT, IN_ROOM = dm_key(ADA, BOB), room_key(ROOM)
MESSAGES = [
    message_event(message(IN_ROOM)),
    message_event(message(IN_ROOM, reply_to=3, mentions=(BOB,))),
    history_item(message(IN_ROOM, text=None, deleted=True, reactions={"👍": [ADA, BOB]})),
    live_dm_event(Sent(conversation=DIRECT, actor=ADA, name="ada", ts=1, text="hi", client_id=ROOM), BOB),
]


@pytest.mark.parametrize("event", MESSAGES, ids=range(len(MESSAGES)))
def test_a_message_event_validates(event: ServerFrame) -> None:
    check_frame(as_json(event))


@pytest.mark.parametrize(("conversation", "schema"), [(IN_ROOM, "history.room"), (DIRECT, "history.direct")])
def test_an_item_of_history_validates(conversation: str, schema: str) -> None:
    for one in (message(conversation), message(conversation, text=None, moderated=True, reactions={"❤": [ADA]})):
        assert faults(schema, as_json(history_item(one))) == []


@pytest.mark.parametrize("conversation", [IN_ROOM, DIRECT])
def test_what_the_workers_publish_validates(conversation: str) -> None:
    where: dict[str, Any] = {"conversation": conversation, "actor": ADA, "ts": 0, "seq": 7}
    published: list[Any] = []
    message_publications(published, message(conversation))
    message_publications(published, message(conversation, edited=True))
    for change in (
        Edited(**where, text="x"),
        Deleted(**where),
        Moderated(**where, reason="spam"),
        Reacted(**where, emoji="👍"),
        Read(**where),
    ):
        change_publications(published, change)
    for publication in published:
        payload = publication.payload
        check_frame(as_json(payload[9:] if payload[:1] == b"m" else payload[1:]))
    assert len(published) == (7 if conversation is IN_ROOM else 14)


def test_answers_validate() -> None:
    online = {ADA: PresenceState.ONLINE}
    missed = [history_message(message(IN_ROOM))]
    check_frame(as_json(OkAnswer(id=1)), "send")
    check_frame(as_json(AuthOk(id=1, user=Person(ADA, "ada"), session=BOB, heartbeat_s=25.0)), "auth")
    check_frame(as_json(SubscribeOk(id=1, room=ROOM, seq=0)), "subscribe")
    check_frame(as_json(SubscribeOk(id=1, room=ROOM, seq=7, recovered=True, messages=missed)), "subscribe")
    check_frame(as_json(SyncOk(id=1, with_=BOB, seq=7, recovered=False, messages=[])), "sync")
    check_frame(as_json(PresenceOk(id=1, states=online, last_seen={})), "presence")
    check_frame(as_json(ErrorAnswer(id=None, code="bad_json", message="no")))
    check_frame(as_json(ErrorAnswer(id=1, code="rate_limited", message="slower", retry_after_ms=5)))


def test_what_is_not_of_the_contract_does_not_validate() -> None:
    event = as_json(message_event(message(IN_ROOM)))
    for field, value in (("seq", 0), ("seq", "7"), ("room", "x"), ("sender", ADA), ("ts", 5), ("mentions", None)):
        assert faults("event.message", {**event, field: value}), field
    for field in ("room", "seq", "sender", "text", "ts", "client_id", "mentions"):
        assert faults("event.message", {key: item for key, item in event.items() if key != field}), field


def test_the_client_library_reads_every_event() -> None:
    found = document()["components"]["schemas"]
    events = {name.removeprefix("event.") for name in found if name.startswith("event.")}
    known = {str(kind.__struct_config__.tag) for kind in client_events.Frame.__args__}
    assert known == events | {"ok", "error"}


STRUCTS: dict[str, type[msgspec.Struct]] = {
    **{f"event.{kind.__struct_config__.tag}": kind for kind in client_events.ServerEvent.__args__},
    "event.gap": GapEvent,
    "event.closing": ClosingEvent,
    "answer.ok": OkAnswer,
    "answer.okAuth": AuthOk,
    "answer.okSubscribe": SubscribeOk,
    "answer.okSync": SyncOk,
    "answer.okPresence": PresenceOk,
    "answer.okFollow": FollowOk,
    "answer.error": ErrorAnswer,
    "history.room": HistoryMessage,
    "history.direct": HistoryDirectMessage,
    "Person": Person,
}


@pytest.mark.parametrize("name", STRUCTS)
def test_what_the_server_says_has_the_fields_of_its_struct(name: str) -> None:
    kind, written = STRUCTS[name], document()["components"]["schemas"][name]
    fields = msgspec.structs.fields(kind)
    tag = set() if kind is Person else {"type"}
    assert set(written["properties"]) == tag | {field.encode_name for field in fields}
    assert tag | {field.encode_name for field in fields if field.required} <= set(written["required"])
    if tag:
        assert written["properties"]["type"] == {"const": kind.__struct_config__.tag}


def test_every_schema_of_an_event_or_answer_has_a_struct() -> None:
    schemas = document()["components"]["schemas"]
    assert {name for name in schemas if name.startswith(("event.", "answer.", "history."))} == set(STRUCTS) - {"Person"}


# Codes.


def test_the_close_codes() -> None:
    written = document()["channels"]["edge"]["x-close-codes"]
    sent = [code for code in CloseCode if code not in (CloseCode.NO_STATUS, CloseCode.ABNORMAL)]
    assert {code: entry["name"] for code, entry in written.items()} == {str(int(code)): code.name for code in sent}
    assert {code: entry["when"] for code, entry in written.items()} == {str(int(code)): MEANINGS[code] for code in sent}
    assert {code: entry["reconnect"] for code, entry in written.items()} == {
        str(int(code)): should_reconnect(code) for code in sent
    }


def test_the_error_codes() -> None:
    """Those of the tree that can reach a session, and those that only the edge gives."""
    inside = {"bad_request", "blocked", "fenced", "poison"}  # who is blocked is closed with 4003
    inside |= {"banned", "last_owner", "too_many_invitations"}  # only REST changes memberships
    tree = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")}
    edge = {"bad_json", "unknown_command", "too_many_subscriptions", "too_many_sessions"}
    written = document()["components"]["schemas"]["answer.error"]["properties"]["code"]["examples"]
    assert set(written) == (tree - inside) | edge
    assert set(document()["channels"]["edge"]["x-error-codes"]) == set(written)
