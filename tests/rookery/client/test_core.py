"""The sans-IO core: what it sends, what it answers, and that each message comes out once and in order."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from rookery.client import events as ev
from rookery.client.core import Core
from rookery.client.errors import (
    AuthenticationFailed,
    Blocked,
    ClientClosed,
    ClientError,
    CommandRefused,
    ConnectionLost,
)

ROOM = str(uuid.UUID(int=1))
ME = str(uuid.UUID(int=10))
PEER = str(uuid.UUID(int=11))


def sent(core: Core) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in core.frames()]


def taken(core: Core) -> list[ev.Event]:
    found = []
    while (event := core.next_event()) is not None:
        found.append(event)
    return found


def give(core: Core, **frame: Any) -> None:
    core.receive(json.dumps(frame))


def message(seq: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "room": ROOM,
        "seq": seq,
        "sender": {"id": PEER, "name": "peer"},
        "text": f"text {seq}",
        "ts": "2026-01-02T03:04:05.678Z",
        "client_id": str(uuid.UUID(int=1000 + seq)),
        "mentions": [],
        **more,
    }


def direct(number: int, *, sender: str = PEER, seq: int | None = None) -> dict[str, Any]:
    found = {
        "type": "dm",
        "from": {"id": sender, "name": "someone"},
        "to": ME if sender == PEER else PEER,
        "text": f"text {number}",
        "ts": "2026-01-02T03:04:05.678Z",
        "client_id": str(uuid.UUID(int=2000 + number)),
    }
    return found if seq is None else {**found, "seq": seq}


def stored(number: int, seq: int) -> dict[str, Any]:
    return {"type": "stored", "with": PEER, "client_id": str(uuid.UUID(int=2000 + number)), "seq": seq}


def open_session(core: Core) -> list[dict[str, Any]]:
    """Authenticates; what the core sends at once."""
    core.open("a token")
    (auth,) = sent(core)
    assert auth == {"type": "auth", "id": auth["id"], "token": "a token"}
    give(core, type="ok", id=auth["id"], user={"id": ME, "name": "me"}, session="s1", heartbeat_s=20)
    return sent(core)


def ready_core(**options: Any) -> Core:
    core = Core(**options)
    assert open_session(core) == []
    assert taken(core) == [ev.Connected(ev.Person(ME, "me"), "s1")]
    return core


def subscribed(core: Core, newest: int = 0) -> None:
    core.subscribe(ROOM, None)
    (command,) = sent(core)
    give(core, type="ok", id=command["id"], room=ROOM, seq=newest)


def seqs(events: list[ev.Event]) -> list[int]:
    return [event.seq for event in events if isinstance(event, ev.Message)]


def test_the_session_says_who_it_is() -> None:
    core = ready_core()
    assert core.ready
    assert core.heartbeat_s == 20
    assert core.session == "s1"


def test_a_command_is_answered() -> None:
    core = ready_core()
    outcomes: list[ev.Ok | ClientError] = []
    core.call("status", {"state": "away"}, outcomes.append)
    (command,) = sent(core)
    assert command == {"type": "status", "id": command["id"], "state": "away"}
    give(core, type="ok", id=command["id"])
    assert isinstance(outcomes[0], ev.Ok)
    give(core, type="ok", id=command["id"])
    assert len(outcomes) == 1


def test_a_refusal_has_its_code_field_and_message() -> None:
    core = ready_core()
    outcomes: list[ev.Ok | ClientError] = []
    core.call("edit", {"room": ROOM, "seq": 1, "text": ""}, outcomes.append)
    give(core, type="error", id=sent(core)[0]["id"], code="invalid", message="write something", field="text")
    (refused,) = outcomes
    assert isinstance(refused, CommandRefused)
    assert (refused.code, refused.message, refused.field) == ("invalid", "write something", "text")


def test_commands_outlive_their_connection_in_order_and_with_their_client_id() -> None:
    core = ready_core()
    outcomes: list[ev.Ok | ClientError] = []
    for number in range(3):
        core.call("send", {"room": ROOM, "text": str(number), "client_id": str(uuid.UUID(int=number))}, outcomes.append)
    first = sent(core)
    core.lost("gone")
    again = open_session(core)
    assert again == first
    for command in again:
        give(core, type="ok", id=command["id"])
    assert len(outcomes) == 3


def test_a_command_made_while_there_is_no_session_is_sent_with_the_next() -> None:
    core = Core()
    core.call("status", {"state": "away"})
    assert sent(core) == []
    assert [command["type"] for command in open_session(core)] == ["status"]


def test_a_command_that_is_not_kept_ends_with_its_connection() -> None:
    core = ready_core()
    outcomes: list[ev.Ok | ClientError] = []
    core.call("typing", {"room": ROOM}, outcomes.append, keep=False)
    core.lost("gone")
    assert isinstance(outcomes[0], ConnectionLost)
    assert open_session(core) == []


def test_a_refusal_that_passes_is_tried_again_after_the_time_that_the_server_names() -> None:
    core = ready_core()
    outcomes: list[ev.Ok | ClientError] = []
    core.call("send", {"room": ROOM, "text": "x", "client_id": ROOM}, outcomes.append)
    (command,) = sent(core)
    give(core, type="error", id=command["id"], code="rate_limited", message="slower", retry_after_ms=700)
    assert core.has_output
    ((seconds, call),) = core.delays()
    assert seconds == 0.7
    core.resend(call)
    assert sent(core) == [command]
    give(core, type="error", id=command["id"], code="unavailable", message="later")
    ((seconds, call),) = core.delays()
    assert seconds > 0
    core.lost()
    core.resend(call)
    assert sent(core) == []
    assert outcomes == []


def test_a_forgotten_command_is_not_sent_again() -> None:
    core = ready_core()
    call = core.call("send", {"room": ROOM, "text": "x", "client_id": ROOM})
    core.forget(call)
    core.lost()
    assert open_session(core) == []


def test_what_json_cannot_carry_is_refused_at_once() -> None:
    core = ready_core()
    with pytest.raises(ValueError, match="cannot be sent"):
        core.call("send", {"room": ROOM, "text": "\ud800", "client_id": ROOM})
    assert core.pending == 0


def test_presence_and_status_are_asked_again_in_the_next_session() -> None:
    core = ready_core()
    core.call("presence", {"users": [PEER]})
    core.call("status", {"state": "away"})
    for command in sent(core):
        give(core, type="ok", id=command["id"])
    core.lost()
    assert [(command["type"], command.get("users")) for command in open_session(core)] == [
        ("presence", [PEER]),
        ("status", None),
    ]


def test_events_are_typed_and_unknown_ones_ignored() -> None:
    core = ready_core()
    give(core, type="typing", user=PEER, room=ROOM)
    give(core, type="something-new", x=1)
    give(core, type="edited", **{"with": PEER}, seq=3, text="new")
    give(core, type="reaction", user=PEER, room=ROOM, seq=1, emoji="+1", remove=False)
    assert taken(core) == [
        ev.Typing(user=PEER, room=ROOM),
        ev.Edited(with_=PEER, seq=3, text="new"),
        ev.Reaction(user=PEER, room=ROOM, seq=1, emoji="+1"),
    ]


@pytest.mark.parametrize(
    "frame", ["", "[]", '{"type": 1}', '{"type":"message"}', "[" * 10_000, '{"type":"ok"}', b"\xff"]
)
def test_what_is_not_of_the_protocol_is_one_error(frame: str | bytes) -> None:
    with pytest.raises(ev.BadFrame):
        ready_core().receive(frame)


def test_a_token_that_is_refused_and_a_user_who_is_blocked() -> None:
    passing = [("unavailable", type(None)), ("too_many_sessions", type(None))]
    for code, kind in [("unauthorized", AuthenticationFailed), ("blocked", Blocked), *passing]:
        core = Core()
        core.open("x")
        give(core, type="error", id=sent(core)[0]["id"], code=code, message="no")
        assert type(core.rejected) is kind
        assert not core.ready


def test_the_server_says_when_to_come_back_once() -> None:
    core = ready_core()
    give(core, type="closing", code=1012, reason="restart", retry_after_ms=1500)
    told = [core.retry_after_ms]
    core.lost("1012", 1.5)
    told.append(core.retry_after_ms)
    assert told == [1500, None]
    assert taken(core) == [ev.Disconnected("1012", 1.5)]


def test_the_end_of_the_client_settles_every_call() -> None:
    core = ready_core()
    outcomes: list[ev.Ok | ClientError] = []
    core.call("status", {"state": "away"}, outcomes.append)
    core.subscribe(ROOM, None, outcomes.append)
    core.fail(ClientClosed("over"))
    assert [type(outcome) for outcome in outcomes] == [ClientClosed, ClientClosed]
    assert core.pending == 0


# Rooms.


def test_messages_come_once_and_in_order() -> None:
    core = ready_core()
    subscribed(core, 4)
    for seq in (5, 5, 4, 6, 1, 7, 7):
        give(core, **message(seq))
    assert seqs(taken(core)) == [5, 6, 7]
    assert core.duplicates == 4
    assert sent(core) == []


def test_a_message_that_overtakes_the_answer_waits_for_it() -> None:
    core = ready_core()
    core.subscribe(ROOM, 2)
    (command,) = sent(core)
    assert command["since"] == 2
    give(core, **message(5))
    give(core, type="ok", id=command["id"], room=ROOM, seq=4, recovered=True, messages=[message(3), message(4)])
    assert seqs(taken(core)) == [3, 4, 5]
    assert sent(core) == []


def test_a_hole_is_resumed_from_the_cursor() -> None:
    core = ready_core()
    subscribed(core, 1)
    give(core, **message(2))
    give(core, **message(4))
    give(core, **message(5))
    (command,) = sent(core)
    assert (command["type"], command["since"]) == ("subscribe", 2)
    give(core, type="ok", id=command["id"], room=ROOM, seq=5, recovered=True, messages=[message(s) for s in (3, 4, 5)])
    assert seqs(taken(core)) == [2, 3, 4, 5]


def test_a_reconnect_resumes_every_room_from_its_cursor() -> None:
    core = ready_core()
    subscribed(core, 1)
    give(core, **message(2))
    core.lost("gone")
    (command,) = open_session(core)
    assert (command["type"], command["room"], command["since"]) == ("subscribe", ROOM, 2)
    give(core, type="ok", id=command["id"], room=ROOM, seq=3, recovered=True, messages=[message(3)])
    assert seqs(taken(core)) == [2, 3]


def test_what_is_too_old_shows_as_missed_and_the_rest_follows() -> None:
    core = ready_core()
    subscribed(core, 1)
    core.lost("gone")
    taken(core)
    (command,) = open_session(core)
    give(core, **message(91))
    give(core, type="ok", id=command["id"], room=ROOM, seq=90, recovered=False)
    events = taken(core)
    assert events[1] == ev.Missed(ROOM, 2, 90)
    assert seqs(events) == [91]


def test_a_server_that_knows_less_rewinds_the_cursor() -> None:
    core = ready_core()
    core.subscribe(ROOM, 50)
    give(core, type="ok", id=sent(core)[0]["id"], room=ROOM, seq=3, recovered=False)
    give(core, **message(4))
    events = taken(core)
    assert events[0] == ev.Rewound(ROOM, 3)
    assert seqs(events) == [4]


def test_a_gap_is_resumed() -> None:
    core = ready_core()
    subscribed(core, 7)
    give(core, type="gap", room=ROOM, from_seq=8)
    give(core, type="gap", room=ROOM, from_seq=8)
    (command,) = sent(core)
    assert command["since"] == 7
    give(core, type="ok", id=command["id"], room=ROOM, seq=8, recovered=True, messages=[message(8)])
    assert seqs(taken(core)) == [8]
    assert sent(core) == []


def test_answers_that_bring_nothing_do_not_make_it_ask_for_ever() -> None:
    core = ready_core()
    subscribed(core, 1)
    give(core, **message(5))
    asked = 0
    while command := sent(core):
        asked += 1
        give(core, type="ok", id=command[0]["id"], room=ROOM, seq=5, recovered=True, messages=[])
    assert asked == 3
    events = taken(core)
    assert events[0] == ev.Missed(ROOM, 2, 4)
    assert seqs(events) == [5]


def test_a_refused_resumption_is_told() -> None:
    core = ready_core()
    subscribed(core, 1)
    core.lost()
    taken(core)
    (command,) = open_session(core)
    give(core, type="error", id=command["id"], code="forbidden", message="you are banned")
    assert taken(core)[-1] == ev.Unsubscribed(ROOM, "forbidden", "you are banned")
    core.lost()
    assert open_session(core) == []


def test_a_resumption_that_is_refused_for_a_while_is_tried_again() -> None:
    core = ready_core()
    subscribed(core, 1)
    core.lost()
    (command,) = open_session(core)
    give(core, type="error", id=command["id"], code="unavailable", message="later")
    ((_, call),) = core.delays()
    core.resend(call)
    assert sent(core) == [command]


def test_an_unsubscribed_room_is_silent_even_when_an_answer_is_under_way() -> None:
    core = ready_core()
    subscribed(core, 1)
    give(core, **message(3))
    (resume,) = sent(core)
    give(core, type="error", id=resume["id"], code="unavailable", message="later")
    ((_, call),) = core.delays()
    core.unsubscribe(ROOM)
    give(core, **message(2))
    core.resend(call)
    give(core, type="ok", id=resume["id"], room=ROOM, seq=3, recovered=True, messages=[message(2), message(3)])
    assert taken(core) == []
    assert [command["type"] for command in sent(core)] == ["unsubscribe"]


@pytest.mark.parametrize(
    "end",
    [
        {"type": "member", "room": ROOM, "user": ME, "change": "kicked"},
        {"type": "member", "room": ROOM, "user": ME, "change": "banned"},
        {"type": "room", "room": ROOM, "change": "deleted"},
    ],
)
def test_the_end_of_membership_ends_the_subscription(end: dict[str, Any]) -> None:
    core = ready_core()
    subscribed(core, 1)
    core.receive(json.dumps(end))
    assert len(taken(core)) == 1
    core.lost()
    assert open_session(core) == []


def test_subscribing_again_with_since_gives_the_messages_again() -> None:
    core = ready_core()
    subscribed(core, 2)
    core.subscribe(ROOM, 0)
    (command,) = sent(core)
    assert command["since"] == 0
    give(core, type="ok", id=command["id"], room=ROOM, seq=2, recovered=True, messages=[message(1), message(2)])
    assert seqs(taken(core)) == [1, 2]


# The bounded buffer.


def test_messages_beyond_the_buffer_come_again_once_there_is_place() -> None:
    core = ready_core(capacity=4)
    subscribed(core, 0)
    for seq in range(1, 11):
        give(core, **message(seq))
    assert core.buffered == 4
    assert sent(core) == []
    found: list[int] = []
    while True:
        events = [event for event in (core.next_event(), core.next_event()) if event is not None]
        found += seqs(events)
        for command in sent(core):
            since = command["since"]
            rest = [message(seq) for seq in range(since + 1, 11)]
            give(core, type="ok", id=command["id"], room=ROOM, seq=10, recovered=True, messages=rest)
        if not core.buffered:
            break
    assert found == list(range(1, 11))


def test_other_events_beyond_the_buffer_are_counted() -> None:
    core = ready_core(capacity=2)
    for _ in range(5):
        give(core, type="typing", user=PEER, room=ROOM)
    assert taken(core)[-1] == ev.EventsDropped(3)


def test_missed_and_rewound_wait_for_place() -> None:
    core = ready_core(capacity=1)
    core.subscribe(ROOM, 1)
    give(core, type="typing", user=PEER, room=ROOM)
    give(core, type="ok", id=sent(core)[0]["id"], room=ROOM, seq=90, recovered=False)
    assert len(taken(core)) == 1
    (again,) = sent(core)
    give(core, type="ok", id=again["id"], room=ROOM, seq=90, recovered=False)
    assert taken(core) == [ev.Missed(ROOM, 2, 90)]
    give(core, type="typing", user=PEER, room=ROOM)
    give(core, type="gap", room=ROOM, from_seq=91)
    give(core, type="ok", id=sent(core)[0]["id"], room=ROOM, seq=5, recovered=False)
    assert len(taken(core)) == 1
    give(core, type="ok", id=sent(core)[0]["id"], room=ROOM, seq=5, recovered=False)
    assert taken(core) == [ev.Rewound(ROOM, 5)]


# Direct messages.


def direct_numbers(events: list[ev.Event]) -> list[str | None]:
    return [event.text for event in events if isinstance(event, ev.DirectMessage)]


def test_a_direct_message_comes_once_and_its_seq_follows() -> None:
    core = ready_core()
    give(core, **direct(1))
    give(core, **direct(1))
    give(core, **stored(1, 7))
    give(core, **stored(1, 7))
    give(core, **direct(2, sender=ME))
    give(core, **stored(2, 8))
    events = taken(core)
    assert direct_numbers(events) == ["text 1", "text 2"]
    assert [event.seq for event in events if isinstance(event, ev.Stored)] == [7, 8]
    assert sent(core) == []


def test_a_direct_message_whose_live_copy_was_lost_is_fetched() -> None:
    core = ready_core()
    give(core, **direct(1))
    give(core, **stored(1, 1))
    give(core, **direct(3))
    give(core, **stored(3, 3))
    (command,) = sent(core)
    assert (command["type"], command["with"], command["since"]) == ("sync", PEER, 1)
    answer = [direct(2, seq=2), direct(3, seq=3)]
    give(core, type="ok", id=command["id"], seq=3, recovered=True, messages=answer)
    assert direct_numbers(taken(core)) == ["text 1", "text 3", "text 2"]
    assert sent(core) == []


def test_known_direct_conversations_are_resumed_after_a_reconnect() -> None:
    core = ready_core()
    give(core, **direct(1))
    give(core, **stored(1, 1))
    core.lost()
    (command,) = open_session(core)
    assert (command["type"], command["since"]) == ("sync", 1)
    give(core, type="ok", id=command["id"], seq=90, recovered=False)
    assert taken(core)[-1] == ev.Missed(None, 2, 90, PEER)


def test_sync_gives_what_is_behind_since() -> None:
    core = ready_core()
    core.sync(PEER, 4)
    (command,) = sent(core)
    assert command["since"] == 4
    give(core, type="ok", id=command["id"], seq=5, recovered=True, messages=[direct(5, seq=5)])
    assert direct_numbers(taken(core)) == ["text 5"]
    core.sync(PEER, 1)
    refused = sent(core)[0]
    give(core, type="error", id=refused["id"], code="not_found", message="no such user")
    core.lost()
    assert open_session(core) == []


def test_a_gap_in_a_direct_conversation_is_synced() -> None:
    core = ready_core()
    give(core, type="gap", **{"with": PEER}, from_seq=3)
    (command,) = sent(core)
    assert (command["type"], command["since"]) == ("sync", 2)


def test_direct_messages_beyond_the_buffer_come_again() -> None:
    core = ready_core(capacity=2)
    for number in range(1, 5):
        give(core, **direct(number))
    for number in range(1, 5):
        give(core, **stored(number, number))
    found = direct_numbers(taken(core))
    (command,) = sent(core)
    rest = [direct(number, seq=number) for number in range(command["since"] + 1, 5)]
    give(core, type="ok", id=command["id"], seq=4, recovered=True, messages=rest)
    found += direct_numbers(taken(core))
    for command in sent(core):
        rest = [direct(number, seq=number) for number in range(command["since"] + 1, 5)]
        give(core, type="ok", id=command["id"], seq=4, recovered=True, messages=rest)
        found += direct_numbers(taken(core))
    assert found == [f"text {number}" for number in range(1, 5)]
