"""What the Python contestants share: who may come in, the rooms' history, and what a message looks like.

Environment: PORT, PUBLIC_KEY (a PEM file with an Ed25519 key), PING_SECONDS, DEFLATE ("1" or nothing). Every contestant
checks a JWT, numbers messages and keeps the last thousand of a room. All leave out: storage that survives the process,
membership, one `client_id` one message, presence.
"""

from __future__ import annotations

import json
import os
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

HISTORY = 1000
PORT = int(os.environ["PORT"])
PING_SECONDS = float(os.environ.get("PING_SECONDS", "25"))
DEFLATE = os.environ.get("DEFLATE") == "1"

_key = load_pem_public_key(Path(os.environ["PUBLIC_KEY"]).read_bytes())
assert isinstance(_key, Ed25519PublicKey)
_newest: dict[str, int] = {}
_histories: dict[str, deque[dict[str, Any]]] = {}


def check_token(token: str) -> dict[str, str]:
    """The user that a token names. Raises `jwt.InvalidTokenError` when its signature or its time is wrong."""
    options: Any = {"require": ["exp", "sub"], "verify_aud": False}
    claims = jwt.decode(token, _key, algorithms=["EdDSA"], options=options)
    return {"id": claims["sub"], "name": claims["name"]}


def record_message(user: dict[str, str], command: dict[str, Any]) -> str:
    """Number a message, keep it in the room's history, and return its event as JSON."""
    room = command["room"]
    seq = _newest[room] = _newest.get(room, 0) + 1
    event = {
        "type": "message",
        "room": room,
        "seq": seq,
        "sender": user,
        "text": command["text"],
        "ts": format_now(),
        "client_id": command["client_id"],
        "mentions": [],
    }
    _histories.setdefault(room, deque(maxlen=HISTORY)).append(event)
    return dump(event)


def make_dm(user: dict[str, str], command: dict[str, Any]) -> str:
    """A direct message's event as JSON."""
    event = {
        "type": "dm",
        "from": user,
        "to": command["to"],
        "text": command["text"],
        "ts": format_now(),
        "client_id": command["client_id"],
    }
    return dump(event)


def answer_subscribe(command: dict[str, Any]) -> str:
    """The answer to a `subscribe`, with what came after its `since`."""
    since = command.get("since")
    kept = _histories.get(command["room"], ())
    missed = [] if since is None else [event for event in kept if event["seq"] > since]
    return dump({"type": "ok", "id": command["id"], "messages": missed})


def dump(value: object) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


def format_now() -> str:
    """The time of the server, as the events carry it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
