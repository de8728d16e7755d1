"""The client's sans-IO core in a test's hands: what it sends, what it is given, what it passes on."""

from __future__ import annotations

import json
import uuid
from typing import Any

from rookery.client import events as ev
from rookery.client.core import Core

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


UNCHANGED = {"edited": False, "deleted": False, "moderated": False, "reactions": {}}
"""What a message of history has besides."""


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
        **UNCHANGED,
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
        **UNCHANGED,
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
    return [event.seq for event in events if isinstance(event, ev.MessageEvent)]
