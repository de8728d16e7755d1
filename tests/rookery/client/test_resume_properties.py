"""Whatever the network drops, repeats or cuts, each message of a room comes out once and in order, and none is missing
in silence."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rookery.client import events as ev
from rookery.client.core import Core
from tests.support.client_core import UNCHANGED

ROOM = "00000000-0000-0000-0000-000000000001"
PEER = "00000000-0000-0000-0000-00000000000b"
ME = "00000000-0000-0000-0000-00000000000a"


class Room:
    """A server with one room and one subscriber, whose wire the test disturbs."""

    def __init__(self, capacity: int, retained: int) -> None:
        self.core = Core(capacity=capacity)
        self.newest = 0
        self.retained = retained
        self.wire: deque[dict[str, Any]] = deque()
        self.events: list[ev.Event] = []
        self.live = False

    def connect(self) -> None:
        self.core.open("token")
        self.live = False
        self.serve()

    def serve(self) -> None:
        """Answers what the client sent."""
        for raw in self.core.frames():
            command = json.loads(raw)
            answer = {"type": "ok", "id": command["id"]}
            if command["type"] == "auth":
                answer |= {"user": {"id": ME, "name": "me"}, "session": "s", "heartbeat_s": 25}
            if command["type"] == "subscribe":
                self.live = True
                answer |= {"room": ROOM, "seq": self.newest, **self.recovery(command.get("since"))}
            self.wire.append(answer)

    def recovery(self, since: int | None) -> dict[str, Any]:
        if since is None:
            return {}
        if since > self.newest or self.newest - since > self.retained:
            return {"recovered": False}
        return {"recovered": True, "messages": [self.message(seq) for seq in range(since + 1, self.newest + 1)]}

    def message(self, seq: int) -> dict[str, Any]:
        sender = {"id": PEER, "name": "peer"}
        return {
            "type": "message",
            "room": ROOM,
            "seq": seq,
            "sender": sender,
            "text": str(seq),
            "ts": "",
            "client_id": "",
            "mentions": [],
            **UNCHANGED,
        }

    def publish(self) -> None:
        self.newest += 1
        if self.live:
            self.wire.append(self.message(self.newest))

    def deliver(self) -> None:
        if self.wire:
            self.core.receive(json.dumps(self.wire.popleft()))
            self.serve()

    def drop(self) -> None:
        """Loses the next frame, if it is a message; an answer cannot be lost within a connection."""
        if self.wire and self.wire[0]["type"] == "message":
            self.wire.popleft()

    def repeat(self) -> None:
        if self.wire:
            self.wire.append(self.wire[0])

    def overtake(self) -> None:
        if self.wire:
            self.wire.append(self.wire.popleft())

    def gap(self) -> None:
        self.wire.append({"type": "gap", "room": ROOM, "from_seq": self.newest + 1})

    def reconnect(self) -> None:
        self.wire.clear()
        self.core.lost("cut")
        self.connect()

    def take(self) -> None:
        event = self.core.next_event()
        if event is not None:
            self.events.append(event)
        self.serve()

    def settle(self, ending: str) -> None:
        """The network is whole from now on: after one more event everything arrives, and the program reads it all."""
        self.quiet()
        getattr(self, ending)()
        self.quiet()

    def quiet(self) -> None:
        while self.wire or self.core.buffered:
            self.deliver()
            self.take()

    def account(self) -> list[int]:
        """Every seq that came out, as a message or inside a `Missed`, in the order in which it did."""
        found: list[int] = []
        for event in self.events:
            if isinstance(event, ev.MessageEvent):
                found.append(event.seq)
            elif isinstance(event, ev.Missed):
                found += range(event.from_seq, event.to_seq + 1)
        return found


STEPS = ["publish", "deliver", "drop", "repeat", "overtake", "gap", "reconnect", "take"]


ENDINGS = st.sampled_from(["reconnect", "publish", "gap"])


def run(steps: list[str], ending: str, *, capacity: int, retained: int) -> Room:
    room = Room(capacity, retained)
    room.connect()
    room.core.subscribe(ROOM, 0)
    room.quiet()
    for step in steps:
        getattr(room, step)()
    room.settle(ending)
    return room


@given(st.lists(st.sampled_from(STEPS), max_size=120), ENDINGS, st.integers(1, 20))
@example(["publish", "drop"], "gap", 5)
@example(["publish", "publish", "drop", "deliver"], "publish", 1)
@settings(max_examples=150)
def test_each_message_once_and_in_order(steps: list[str], ending: str, capacity: int) -> None:
    room = run(steps, ending, capacity=capacity, retained=10**6)
    assert [event.seq for event in room.events if isinstance(event, ev.MessageEvent)] == list(range(1, room.newest + 1))
    assert not any(isinstance(event, ev.Missed | ev.Rewound) for event in room.events)


@given(st.lists(st.sampled_from(STEPS), max_size=120), ENDINGS, st.integers(1, 20), st.integers(0, 6))
@settings(max_examples=150)
def test_what_is_not_kept_is_told_and_never_silent(steps: list[str], ending: str, capacity: int, retained: int) -> None:
    room = run(steps, ending, capacity=capacity, retained=retained)
    assert room.account() == list(range(1, room.newest + 1))


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
KEYS = st.sampled_from(["id", "room", "with", "seq", "user", "text", "from", "messages", "recovered", "code"])
TYPES = st.sampled_from(["message", "dm", "stored", "ok", "error", "gap", "closing", "member", "presence", "other"])
FRAMES = st.builds(lambda kind, rest: {**rest, "type": kind}, TYPES | VALUES, st.dictionaries(KEYS, VALUES))


@given(st.binary(max_size=200) | FRAMES.map(lambda frame: json.dumps(frame).encode()))
@settings(max_examples=300)
def test_any_bytes_are_a_frame_or_one_error(data: bytes) -> None:
    core = Core()
    core.open("token")
    try:
        core.receive(data)
    except ev.BadFrame:
        return
