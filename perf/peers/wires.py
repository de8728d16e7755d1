"""How to speak with each contestant: what opens a session, what sends a message, and which markers answer.

The load client knows only bytes and markers; everything that differs between protocols stands here. A message's text
has 100 characters: a stamp that the load client fills in, and words.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from perf.loadclient import masked

ID = "#" * 10
"""Where the load client writes the number of a command, as ten digits."""
CLIENT_ID = "@" * 36
STAMP = "~T" + "0" * 16
_WORDS = "the quick brown fox jumps over a lazy dog while five boxing wizards look on and say nothing at all"
TEXT = f"{STAMP} {_WORDS}"[:100]


@dataclass(frozen=True)
class Step:
    """What a session writes while it opens, and the marker that must come `count` times before the next step."""

    written: bytes
    marker: bytes = b""
    count: int = 0


class Wire(Protocol):
    """A contestant's protocol. Payloads are texts; the load client masks and frames them."""

    answer: str
    """The marker of the answer to a sent message."""

    def open_session(self, token: str, rooms: Sequence[str], *, deflate: bool, since: int | None) -> list[Step]:
        """The handshake, the log-in, and a subscription to each room; `since` asks for what came after that seq."""
        ...

    def send(self, room: str) -> str:
        """A message to a room."""
        ...

    def dm(self, user: str, pair: str) -> str:
        """A message to a user, or to the room that the two users share where there are no messages to users."""
        ...

    def echo(self) -> str:
        """A small message that comes back."""
        ...


def shake_hands(path: str, *, deflate: bool) -> Step:
    """The opening handshake (RFC 6455, 4.1)."""
    offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if deflate else ""
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{offer}"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    return Step(head.encode())


def write_json(value: object) -> str:
    """JSON without spaces, with the load client's place for the id as a number."""
    return json.dumps(value, separators=(",", ":")).replace(f'"{ID}"', ID)


class RoomWire:
    """The project's own protocol, which the small servers under perf/peers/node and perf/peers/python speak, too."""

    answer = '"type":"ok"'

    def open_session(self, token: str, rooms: Sequence[str], *, deflate: bool, since: int | None) -> list[Step]:
        """`auth`, its answer, and then all subscriptions at once."""
        steps = [
            shake_hands("/ws", deflate=deflate),
            Step(masked(write_json({"type": "auth", "id": 1, "token": token}).encode()), self.answer.encode(), 1),
        ]
        extra = {} if since is None else {"since": since}
        commands = [{"type": "subscribe", "id": 2 + at, "room": room, **extra} for at, room in enumerate(rooms)]
        frames = b"".join(masked(write_json(each).encode()) for each in commands)
        return [*steps, Step(frames, self.answer.encode(), len(rooms))] if rooms else steps

    def send(self, room: str) -> str:
        """`send`."""
        return write_json({"type": "send", "id": ID, "room": room, "text": TEXT, "client_id": CLIENT_ID})

    def dm(self, user: str, pair: str) -> str:  # noqa: ARG002 - not every protocol needs both
        """`dm`."""
        return write_json({"type": "dm", "id": ID, "to": user, "text": TEXT, "client_id": CLIENT_ID})

    def echo(self) -> str:
        """A command that only the small servers know."""
        return write_json({"type": "echo", "id": ID, "text": STAMP})


class CentrifugeWire:
    """Centrifuge's protocol in JSON. It passes on what the client wrote, so the client writes all of an event."""

    answer = '{"id":1'  # all ids begin with a 1, and no id in an event is a number

    def open_session(self, token: str, rooms: Sequence[str], *, deflate: bool, since: int | None) -> list[Step]:
        """`connect`, its answer, and then all subscriptions at once."""
        marker = self.answer.encode()
        steps = [
            shake_hands("/ws", deflate=deflate),
            Step(masked(write_json({"id": 1, "connect": {"token": token}}).encode()), marker, 1),
        ]
        extra = {} if since is None else {"recover": True, "offset": since}
        commands = [{"id": 100 + at, "subscribe": {"channel": room, **extra}} for at, room in enumerate(rooms)]
        frames = b"".join(masked(write_json(each).encode()) for each in commands)
        return [*steps, Step(frames, marker, len(rooms))] if rooms else steps

    def send(self, room: str) -> str:
        """`publish`; the frame that comes out of it is as long as one of ours."""
        data = {"type": "message", "text": TEXT, "client_id": CLIENT_ID, "sender": {"id": "0" * 36, "name": "perf-1"}}
        return write_json({"id": ID, "publish": {"channel": room, "data": data}})

    def dm(self, user: str, pair: str) -> str:  # noqa: ARG002 - not every protocol needs both
        """The same, to a channel that both users subscribe to."""
        return self.send(pair)

    def echo(self) -> str:
        """Nothing of this kind exists."""
        raise LookupError("centrifuge has no echo")


class SocketIoWire:
    """Engine.IO 4 over WebSocket, and Socket.IO 5 in it; answers come as acknowledgements."""

    answer = '"type":"ok"'

    def open_session(self, token: str, rooms: Sequence[str], *, deflate: bool, since: int | None) -> list[Step]:
        """The connection to the main namespace, and then all subscriptions at once."""
        steps = [
            shake_hands("/socket.io/?EIO=4&transport=websocket", deflate=deflate),
            Step(masked(f"40{write_json({'token': token})}".encode()), b'40{"sid"', 1),
        ]
        extra = {} if since is None else {"since": since}
        texts = [f"42{2 + at}{write_json(['subscribe', {'room': room, **extra}])}" for at, room in enumerate(rooms)]
        frames = b"".join(masked(text.encode()) for text in texts)
        return [*steps, Step(frames, self.answer.encode(), len(rooms))] if rooms else steps

    def send(self, room: str) -> str:
        """The event `send`."""
        return f"42{ID}{write_json(['send', {'room': room, 'text': TEXT, 'client_id': CLIENT_ID}])}"

    def dm(self, user: str, pair: str) -> str:  # noqa: ARG002 - not every protocol needs both
        """The event `dm`."""
        return f"42{ID}{write_json(['dm', {'to': user, 'text': TEXT, 'client_id': CLIENT_ID}])}"

    def echo(self) -> str:
        """The event `echo`."""
        return f"42{write_json(['echo', {'text': STAMP}])}"


class BareWire:
    """A connection without a handshake; what comes in goes out to all."""

    answer = "-"

    def open_session(self, token: str, rooms: Sequence[str], *, deflate: bool, since: int | None) -> list[Step]:  # noqa: ARG002 - neither is there
        """Nothing."""
        return []

    def send(self, room: str) -> str:
        """As many bytes as an event of ours has."""
        return f"{TEXT:<250}{room:<100}"

    def dm(self, user: str, pair: str) -> str:  # noqa: ARG002 - not every protocol needs both
        """Nothing of this kind exists."""
        raise LookupError("the limits know no users")

    def echo(self) -> str:
        """Nothing of this kind exists."""
        raise LookupError("the limits have no echo")
