"""Following direct conversations: live copies, `stored`, and what was missed."""

from __future__ import annotations

import pytest

from rookery.client import events as ev
from tests.support.client_core import (
    ME,
    PEER,
    ROOM,
    direct,
    give,
    open_session,
    ready_core,
    sent,
    stored,
    taken,
)


def direct_numbers(events: list[ev.Event]) -> list[str | None]:
    return [event.text for event in events if isinstance(event, ev.DirectMessageEvent)]


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
    assert [event.seq for event in events if isinstance(event, ev.StoredEvent)] == [7, 8]
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
    give(core, type="ok", id=command["id"], **{"with": PEER}, seq=3, recovered=True, messages=answer)
    assert direct_numbers(taken(core)) == ["text 1", "text 3", "text 2"]
    assert sent(core) == []


def test_known_direct_conversations_are_resumed_after_a_reconnect() -> None:
    core = ready_core()
    give(core, **direct(1))
    give(core, **stored(1, 1))
    core.lost()
    (command,) = open_session(core)
    assert (command["type"], command["since"]) == ("sync", 1)
    give(core, type="ok", id=command["id"], **{"with": PEER}, seq=90, recovered=False)
    assert taken(core)[-1] == ev.Missed(None, 2, 90, PEER)


def test_sync_gives_what_is_behind_since() -> None:
    core = ready_core()
    core.sync(PEER, 4)
    (command,) = sent(core)
    assert command["since"] == 4
    give(core, type="ok", id=command["id"], **{"with": PEER}, seq=5, recovered=True, messages=[direct(5, seq=5)])
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
    give(core, type="ok", id=command["id"], **{"with": PEER}, seq=4, recovered=True, messages=rest)
    found += direct_numbers(taken(core))
    for command in sent(core):
        rest = [direct(number, seq=number) for number in range(command["since"] + 1, 5)]
        give(core, type="ok", id=command["id"], **{"with": PEER}, seq=4, recovered=True, messages=rest)
        found += direct_numbers(taken(core))
    assert found == [f"text {number}" for number in range(1, 5)]


def test_a_message_in_an_answer_that_cannot_be_read_is_one_error() -> None:
    core = ready_core()
    core.sync(PEER, 0)
    core.subscribe(ROOM, 0)
    for command in sent(core):
        with pytest.raises(ev.BadFrame):
            give(core, type="ok", id=command["id"], **{"with": PEER}, seq=1, recovered=True, messages=[{"seq": "one"}])


def test_the_case_of_a_client_id_does_not_matter() -> None:
    core = ready_core()
    live = {**direct(1), "client_id": "0B7F8B1E-6D38-4E2C-9F39-2D0F9F3F9A11"}
    give(core, **live)
    give(core, **{**live, "client_id": live["client_id"].lower()})
    give(core, **{**stored(1, 7), "client_id": live["client_id"].lower()})
    give(core, **stored(2, 8))  # of which no copy came
    assert direct_numbers(taken(core)) == ["text 1"]
    assert [command["since"] for command in sent(core)] == [7]
