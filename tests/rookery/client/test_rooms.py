"""Following rooms: each message comes out once and in order, or the program hears that it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rookery.client import events as ev
from tests.support.client_core import (
    ME,
    PEER,
    ROOM,
    give,
    message,
    open_session,
    ready_core,
    sent,
    seqs,
    subscribed,
    taken,
)


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


@pytest.mark.parametrize("newest", [1, 2, 9])
def test_a_restored_history_shows_as_rewound(newest: int) -> None:
    core = ready_core()
    call = core.subscribe(ROOM, None)
    (first,) = sent(core)
    assert "epoch" not in first
    give(core, type="ok", id=first["id"], room=ROOM, seq=1, epoch="one")
    give(core, **message(2))
    core.lost("gone")
    taken(core)
    (command,) = open_session(core)
    assert (command["since"], command["epoch"]) == (2, "one")
    give(core, type="ok", id=command["id"], room=ROOM, seq=newest, recovered=False, messages=[], epoch="two")
    assert taken(core)[-1] == ev.Rewound(ROOM, newest)
    give(core, **message(newest + 1))
    assert seqs(taken(core)) == [newest + 1]
    core.lost("gone")
    (again,) = open_session(core)
    assert (again["since"], again["epoch"]) == (newest + 1, "two")
    assert call.cursor is not None


def test_what_a_program_kept_of_an_unknown_history_shows_as_rewound_even_if_nothing_seems_to_be_missed() -> None:
    core = ready_core()
    core.subscribe(ROOM, 3)
    (command,) = sent(core)
    give(core, type="ok", id=command["id"], room=ROOM, seq=3, recovered=False, messages=[], epoch="two")
    assert taken(core) == [ev.Rewound(ROOM, 3)]


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
