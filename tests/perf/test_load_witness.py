"""The witness of a load test names each promise that a server breaks, and no other."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from perf.load.shapes import SHAPES, ramp, soak, spike, steady
from perf.load.witness import Witness

ROOM = "11111111-1111-4111-8111-111111111111"


class Story:
    """A session as its witness saw it."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.texts: list[str] = []
        self.time = 0.0
        self.witness = Witness(lambda name, _: self.broken.append(name), self.texts.append, lambda: self.time)

    def sent(self, **command: Any) -> Story:
        self.witness.note_sent(orjson.dumps(command))
        return self

    def came(self, **event: Any) -> Story:
        self.witness.note_received(orjson.dumps(event).decode())
        return self

    def subscribed(self, *, since: int | None = None, **answer: Any) -> Story:
        asked = {} if since is None else {"since": since}
        self.sent(type="subscribe", id=1, room=ROOM, **asked)
        return self.came(type="ok", id=1, room=ROOM, **answer)

    def message(self, seq: int, client_id: str = "other") -> Story:
        return self.came(**item(seq, client_id), type="message")


def item(seq: int, client_id: str = "other") -> dict[str, Any]:
    return {"room": ROOM, "seq": seq, "client_id": client_id, "text": f"text {seq}"}


@pytest.fixture
def story() -> Story:
    return Story()


def test_messages_in_order_are_fine(story: Story) -> None:
    story.subscribed(seq=4).message(5).message(6)
    assert story.broken == []
    assert story.texts == ["text 5", "text 6"]
    assert story.witness.seq_of(ROOM) == 6


def test_a_hole_is_a_gap_once(story: Story) -> None:
    story.subscribed(seq=4).message(6).message(7)
    assert story.broken == ["gap"]


@pytest.mark.parametrize("seq", [5, 4, 1])
def test_a_message_that_was_seen_is_doubled(story: Story, seq: int) -> None:
    story.subscribed(seq=4).message(5).message(seq)
    assert story.broken == ["doubled"]


def test_a_hole_that_was_said_is_none(story: Story) -> None:
    story.subscribed(seq=4).came(type="gap", room=ROOM, from_seq=5).message(9)
    story.subscribed(since=4, seq=9, recovered=True, messages=[item(seq) for seq in range(5, 10)]).message(10)
    assert story.broken == []
    assert story.witness.seq_of(ROOM) == 10


def test_a_resume_brings_everything(story: Story) -> None:
    story.subscribed(seq=4).witness.note_lost()
    story.subscribed(since=4, seq=6, recovered=True, messages=[item(5), item(6)]).message(7)
    assert story.broken == []


@pytest.mark.parametrize("seqs", [[5], [6], [6, 5], [5, 5, 6], []])
def test_a_resume_that_leaves_something_out_is_named(story: Story, seqs: list[int]) -> None:
    story.subscribed(seq=4).witness.note_lost()
    story.subscribed(since=4, seq=6, recovered=True, messages=[item(seq) for seq in seqs])
    assert story.broken == ["resume"]


def test_a_resume_may_say_that_too_much_was_missed(story: Story) -> None:
    story.subscribed(seq=4).witness.note_lost()
    story.subscribed(since=4, seq=9000, recovered=False).message(9001)
    assert story.broken == []


def test_a_live_repetition_of_what_a_resume_brought_is_doubled(story: Story) -> None:
    story.subscribed(seq=4).witness.note_lost()
    story.subscribed(since=4, seq=5, recovered=True, messages=[item(5)]).message(5)
    assert story.broken == ["doubled"]


@pytest.mark.parametrize("first", ["ok", "message"])
def test_an_acknowledged_message_comes_back_before_or_after_its_ok(story: Story, first: str) -> None:
    story.subscribed(seq=4).sent(type="send", id=2, room=ROOM, client_id="mine")
    for step in (first, "message" if first == "ok" else "ok"):
        story.came(type="ok", id=2) if step == "ok" else story.message(5, "mine")
    story.time = 100.0
    assert list(story.witness.overdue(30.0)) == []


def test_an_acknowledged_message_that_does_not_come_is_overdue_once(story: Story) -> None:
    story.subscribed(seq=4).sent(type="send", id=2, room=ROOM, client_id="mine").came(type="ok", id=2)
    story.time = 29.0
    assert list(story.witness.overdue(30.0)) == []
    assert story.witness.waiting == 1
    story.time = 30.0
    assert list(story.witness.overdue(30.0)) == [f"message mine of room {ROOM}"]
    assert list(story.witness.overdue(30.0)) == []


def test_what_a_resume_brings_was_not_lost(story: Story) -> None:
    story.subscribed(seq=4).sent(type="send", id=2, room=ROOM, client_id="mine").came(type="ok", id=2)
    story.witness.note_lost()
    story.subscribed(since=4, seq=5, recovered=True, messages=[item(5, "mine")])
    story.time = 100.0
    assert list(story.witness.overdue(30.0)) == []


def test_neither_a_refusal_nor_a_message_held_back_is_a_loss(story: Story) -> None:
    story.subscribed(seq=4).sent(type="send", id=2, room=ROOM, client_id="a").came(
        type="error", id=2, code="rate_limited"
    )
    story.sent(type="send", id=3, room=ROOM, client_id="b").came(type="ok", id=3)
    story.came(type="refused", room=ROOM, client_id="b", reason="rules")
    story.time = 100.0
    assert list(story.witness.overdue(30.0)) == []


def test_shapes_end_with_what_they_promise() -> None:
    assert [steady(second, 50, 100) for second in (0, 99)] == [50, 50]
    assert [ramp(second, 50, 100) for second in (0, 8, 79, 99)] == [5, 10, 50, 50]
    assert [spike(second, 50, 100) for second in (0, 20, 30, 50)] == [5, 50, 5, 50]
    assert [soak(second, 50, 100) for second in (0, 5, 99)] == [1, 50, 50]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("users", [1, 7, 5000])
def test_a_shape_has_between_one_and_all_users(shape: Any, users: int) -> None:
    assert all(1 <= shape(second / 10, users, 60.0) <= users for second in range(600))
