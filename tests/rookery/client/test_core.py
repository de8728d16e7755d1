"""The sans-IO core: commands and their answers, across connections."""

from __future__ import annotations

import uuid

import pytest

from rookery.client import events as ev
from rookery.client.core import Core
from rookery.client.errors import (
    AccountBlocked,
    AuthenticationFailed,
    ClientClosed,
    ClientError,
    CommandRefused,
    ConnectionLost,
)
from tests.support.client_core import (
    PEER,
    ROOM,
    give,
    open_session,
    ready_core,
    sent,
    taken,
)


def test_the_session_says_who_it_is() -> None:
    core = ready_core()
    assert core.ready
    assert core.heartbeat_s == 20
    assert core.session == "s1"


def test_a_command_is_answered() -> None:
    core = ready_core()
    outcomes: list[ev.OkAnswer | ClientError] = []
    core.call("status", {"state": "away"}, outcomes.append)
    (command,) = sent(core)
    assert command == {"type": "status", "id": command["id"], "state": "away"}
    give(core, type="ok", id=command["id"])
    assert isinstance(outcomes[0], ev.OkAnswer)
    give(core, type="ok", id=command["id"])
    assert len(outcomes) == 1


def test_a_refusal_has_its_code_field_and_message() -> None:
    core = ready_core()
    outcomes: list[ev.OkAnswer | ClientError] = []
    core.call("edit", {"room": ROOM, "seq": 1, "text": ""}, outcomes.append)
    give(core, type="error", id=sent(core)[0]["id"], code="invalid", message="write something", field="text")
    (refused,) = outcomes
    assert isinstance(refused, CommandRefused)
    assert (refused.code, refused.message, refused.field) == ("invalid", "write something", "text")


def test_commands_outlive_their_connection_in_order_and_with_their_client_id() -> None:
    core = ready_core()
    outcomes: list[ev.OkAnswer | ClientError] = []
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
    outcomes: list[ev.OkAnswer | ClientError] = []
    core.call("typing", {"room": ROOM}, outcomes.append, keep=False)
    core.lost("gone")
    assert isinstance(outcomes[0], ConnectionLost)
    assert open_session(core) == []


def test_a_refusal_that_passes_is_tried_again_after_the_time_that_the_server_names() -> None:
    core = ready_core()
    outcomes: list[ev.OkAnswer | ClientError] = []
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
        give(core, type="ok", id=command["id"], states={})
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
        ev.TypingEvent(user=PEER, room=ROOM),
        ev.EditedEvent(with_=PEER, seq=3, text="new"),
        ev.ReactionEvent(user=PEER, room=ROOM, seq=1, emoji="+1", remove=False),
    ]


@pytest.mark.parametrize(
    "frame", ["", "[]", '{"type": 1}', '{"type":"message"}', "[" * 10_000, '{"type":"ok"}', b"\xff"]
)
def test_what_is_not_of_the_protocol_is_one_error(frame: str | bytes) -> None:
    with pytest.raises(ev.BadFrame):
        ready_core().receive(frame)


def test_a_token_that_is_refused_and_a_user_who_is_blocked() -> None:
    passing = [("unavailable", type(None)), ("too_many_sessions", type(None))]
    for code, kind in [("unauthorized", AuthenticationFailed), ("blocked", AccountBlocked), *passing]:
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
    outcomes: list[ev.OkAnswer | ClientError] = []
    core.call("status", {"state": "away"}, outcomes.append)
    core.subscribe(ROOM, None, outcomes.append)
    core.fail(ClientClosed("over"))
    assert [type(outcome) for outcome in outcomes] == [ClientClosed, ClientClosed]
    assert core.pending == 0
