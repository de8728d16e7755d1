"""What one session may believe: reads the frames of both directions, and names each promise that the server breaks.

Rule 1: after a message with seq n of a room, the next one has n + 1, but for a `gap` event or a new subscription.
Rule 2: a seq that was seen is not seen again, live or in an answer.
Rule 3: an answer with `recovered: true` has each message after `since`, up to its `seq`, in order.
Rule 4: a room message that was answered by `ok` comes back to its sender, who follows the room; `overdue` names others.

Frames are parsed a second time here, apart from the client library, so that a fault of the library shows, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

Report = Callable[[str, str], None]
"""Told of a broken promise: its short name, and what was seen."""

Delivered = Callable[[str], None]
"""Told the text of each message that came live."""

REMEMBERED = 4096
"""Own messages that came back before their `ok`, of one session."""


@dataclass
class _Room:
    seq: int | None = None
    """Up to here everything was seen; None until the first answer."""
    asked: int = 0
    """Subscriptions under way: what comes before their answer may leave a hole."""
    gap: bool = False


@dataclass
class Witness:
    """Watches one user across connections. `now` is a monotonic clock in seconds."""

    report: Report
    delivered: Delivered
    now: Callable[[], float]
    _rooms: dict[str, _Room] = field(default_factory=dict)
    _subscribing: dict[int, tuple[str, int | None]] = field(default_factory=dict)
    _sending: dict[int, tuple[str, str]] = field(default_factory=dict)
    _acknowledged: dict[str, tuple[str, float]] = field(default_factory=dict)
    _own: dict[str, None] = field(default_factory=dict)

    def note_lost(self) -> None:
        """The connection ended: its unanswered commands are sent again, with ids of their own or the same."""
        self._subscribing.clear()
        for room in self._rooms.values():
            room.asked = 0

    def note_sent(self, frame: bytes) -> None:
        """A frame leaves for the server."""
        command = orjson.loads(frame)
        match command["type"]:
            case "subscribe":
                name = command["room"]
                self._subscribing[command["id"]] = (name, command.get("since"))
                self._rooms.setdefault(name, _Room()).asked += 1
            case "unsubscribe":
                self._rooms.pop(command["room"], None)
            case "send":
                self._sending[command["id"]] = (command["room"], command["client_id"])

    def note_received(self, frame: str) -> None:
        """A frame came from the server."""
        event = orjson.loads(frame)
        match event.get("type"):
            case "message":
                self._note_message(event)
            case "ok":
                self._note_ok(event)
            case "error":
                self._sending.pop(event.get("id"), None)
                self._note_refusal(event.get("id"))
            case "gap":
                if (room := self._rooms.get(event.get("room", ""))) is not None:
                    room.gap = True
            case "refused":
                self._acknowledged.pop(event["client_id"], None)
            case "room" if event.get("change") == "deleted":
                self._forget_room(event["room"])

    def overdue(self, seconds: float) -> Iterator[str]:
        """The room messages that were acknowledged so long ago, and did not come back; each once."""
        before = self.now() - seconds
        for client_id, (room, since) in list(self._acknowledged.items()):
            if since <= before:
                del self._acknowledged[client_id]
                yield f"message {client_id} of room {room}"

    @property
    def waiting(self) -> int:
        """Acknowledged room messages that did not come back yet."""
        return len(self._acknowledged)

    def seq_of(self, room: str) -> int:
        """Up to where everything of a room was seen; 0 when nothing was."""
        known = self._rooms.get(room)
        return known.seq or 0 if known is not None else 0

    def _note_message(self, message: dict[str, Any]) -> None:
        self._note_back(message["client_id"])
        self.delivered(message["text"])
        room = self._rooms.get(message["room"])
        if room is None or room.seq is None:
            return
        seq = message["seq"]
        if seq <= room.seq:
            self.report("doubled", f"room {message['room']}: seq {seq} came after {room.seq}")
            return
        if seq > room.seq + 1 and not room.gap and not room.asked:
            self.report("gap", f"room {message['room']}: seq {seq} came after {room.seq}")
        if seq == room.seq + 1 or not (room.gap or room.asked):
            room.seq = seq  # behind a hole that is being filled, the answer decides

    def _note_ok(self, ok: dict[str, Any]) -> None:
        sent = self._sending.pop(ok["id"], None)
        if sent is not None:
            room, client_id = sent
            if client_id not in self._own and room in self._rooms:
                self._acknowledged[client_id] = (room, self.now())
            return
        asked = self._subscribing.pop(ok["id"], None)
        if asked is not None and asked[0] in self._rooms:
            self._note_answer(self._rooms[asked[0]], asked[0], asked[1], ok)

    def _note_answer(self, room: _Room, name: str, since: int | None, ok: dict[str, Any]) -> None:
        room.asked = max(0, room.asked - 1)
        room.gap = False
        messages = ok.get("messages", ())
        for message in messages:
            self._note_back(message["client_id"])
        if since is not None and ok.get("recovered"):
            found = [message["seq"] for message in messages]
            wanted = list(range(since + 1, ok["seq"] + 1))
            if found != wanted:
                self.report("resume", f"room {name}: since {since} up to {ok['seq']} has {_shorten(found)}")
        room.seq = ok["seq"] if since is None or room.seq is None else max(room.seq, ok["seq"])

    def _note_refusal(self, id: object) -> None:  # noqa: A002
        asked = self._subscribing.pop(id, None) if isinstance(id, int) else None
        if asked is not None and (room := self._rooms.get(asked[0])) is not None:
            room.asked = max(0, room.asked - 1)

    def _note_back(self, client_id: str) -> None:
        """A message came: if it is an own one, its `ok` may be here already or still come."""
        if self._acknowledged.pop(client_id, None) is not None:
            return
        if any(client_id == sent for _, sent in self._sending.values()):
            self._own[client_id] = None
            if len(self._own) > REMEMBERED:
                del self._own[next(iter(self._own))]

    def _forget_room(self, room: str) -> None:
        if self._rooms.pop(room, None) is not None:
            self._acknowledged = {key: sent for key, sent in self._acknowledged.items() if sent[0] != room}


def _shorten(seqs: list[int]) -> str:
    return str(seqs) if len(seqs) <= 8 else f"{seqs[:4]} … {seqs[-4:]}, {len(seqs)} in all"
