"""What stands in the pictures: a small team, what it writes, and when.

The server keeps the true time of each message, so the window gets what it says here in its place: `date_messages`.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

PASSWORD = "correct horse battery"
NOW = datetime(2026, 11, 19, 10, 32, tzinfo=UTC)
SECONDS = 60
PEOPLE = {
    "maya": "Maya Chen",
    "jonas": "Jonas Weber",
    "leila": "Leila Haddad",
    "tom": "Tom Okafor",
    "sofia": "Sofia Rossi",
    "pavel": "Павел Новак",
}
VIEWER = "maya"
ONLINE = ("jonas", "leila", "pavel")
ROOMS = {
    "general": ("public", "What everybody should know"),
    "design": ("public", "How it looks, and why"),
    "release-2-0": ("public", "Everything on the way to 2.0"),
    "support": ("public", "Questions of customers"),
    "lunch": ("public", "12:30, the long table"),
    "music": ("public", ""),
    "hiring": ("private", "Candidates and interviews"),
}
STATUSES = {"jonas": ("🏡", "from home"), "leila": ("🎧", "in the zone until 12")}
CODE = """Like this, then one place decides it:

```python
def may_edit(message: Message, user: User) -> bool:
    # an hour is enough to mend a typo
    return message.sender == user and message.age < HOUR
```"""
# room, who, when on which day of November, text
MESSAGES = [
    ("music", "tom", "17 18:05", "The record of the week is on the shelf by the door."),
    ("hiring", "sofia", "18 16:40", "Both interviews went well. Notes are in the folder."),
    ("lunch", "tom", "19 09:12", "Soup day! Who comes along?"),
    ("lunch", "pavel", "19 09:15", "Я с вами 🍲"),
    ("support", "leila", "19 09:31", "The import is through for the school; they say thank you."),
    ("design", "sofia", "19 10:04", "New empty states are up, comments welcome until tomorrow."),
    ("design", "jonas", "19 10:21", "They look calm. I like the one for search best."),
    ("general", "tom", "18 17:20", "Office closes at four on Friday, the heating gets its check."),
    ("release-2-0", "leila", "18 15:48", "The last of the blockers is closed: **37 of 37**. 🎉"),
    ("release-2-0", "tom", "18 15:52", "Then we ship on Thursday as planned. I tag at noon."),
    ("release-2-0", "jonas", "19 09:41", "Good morning! Before we tag, the order for today:"),
    (
        "release-2-0",
        "jonas",
        "19 09:42",
        "1. Maya looks over the upgrade notes\n2. Leila runs the rehearsal on the copy\n3. Tom tags, I announce",
    ),
    ("release-2-0", "maya", "19 09:50", "Notes are ready; only the part about *editing* needs a second pair of eyes."),
    ("release-2-0", "leila", "19 09:58", CODE),
    ("release-2-0", "pavel", "19 10:02", "Красиво. Так и оставим."),
    ("release-2-0", "leila", "19 10:17", "Rehearsal is done: 1,204,118 messages, nothing lost, 40 seconds of pause."),
    ("release-2-0", "tom", "19 10:24", "@maya may I quote your notes in the announcement?"),
]
DIRECT = [
    ("sofia", "18 14:10", "Thank you for the review!"),
    ("pavel", "19 08:55", "Доброе утро! Созвонимся после обеда?"),
    ("jonas", "19 10:28", "Do you have ten minutes before noon?"),
]
PINNED = "Then we ship on Thursday"
REACTIONS = [
    ("37 of 37", "🎉", ("jonas", "tom", "maya", "sofia")),
    ("37 of 37", "🚀", ("pavel", "jonas")),
    ("Rehearsal is done", "👏", ("maya", "jonas", "pavel")),
    ("Notes are ready", "👀", ("leila",)),
]
REPLY = ("Rehearsal is done", "sofia", "19 10:26", "Forty seconds! Last year it was an hour.")
REPORTED = "Office closes"
UNREAD = ("@maya may I quote", "Forty seconds!")


@dataclass
class Scene:
    """A running server with all of that, and where it is."""

    http: str
    ws: str
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, tuple[str, int]] = field(default_factory=dict)
    """A message's text → its room and number."""
    reported: bool = False

    def call(self, who: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A call of REST that must succeed."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who in self.tokens else {}
        answer = httpx.request(method, f"{self.http}{path}", json=body, headers=headers, timeout=SECONDS)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def note(self, room: str, text: str) -> None:
        """A room numbers its messages from 1 on."""
        self.numbers[text] = room, 1 + sum(where == room for where, _ in self.numbers.values())

    def report(self) -> None:
        """A message is reported, once."""
        room, number = self.find(REPORTED)
        if self.reported:
            return
        self.reported = True
        body = {"room": room, "seq": number, "reason": "This is for the owner of the house, not for everybody."}
        self.call("pavel", "POST", "/api/moderation/reports", body)

    def find(self, part: str) -> tuple[str, int]:
        """The room and number of the message that has these words."""
        return next(place for text, place in self.numbers.items() if part in text)


class Talk:
    """A session of one person."""

    def __init__(self, socket: ClientConnection, token: str) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.command("auth", token=token)

    def command(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A command, and its `ok`."""
        wanted = next(self._ids)
        self._socket.send(json.dumps({"type": kind, "id": wanted, **fields}))
        while True:
            said: dict[str, Any] = json.loads(self._socket.recv(timeout=SECONDS))
            if said.get("id") == wanted:
                assert said["type"] == "ok", said
                return said

    def say(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a message."""
        return self.command(kind, client_id=str(uuid.uuid4()), **fields)


@contextmanager
def playing(http: str, ws: str) -> Iterator[Scene]:
    """Fill an empty server; those who are online stay so."""
    scene = Scene(http, ws)
    for name, shown in PEOPLE.items():
        body = {"name": name, "display_name": shown, "password": PASSWORD}
        scene.tokens[name] = scene.call("", "POST", "/api/auth/register", body)["access_token"]
        scene.ids[name] = scene.call(name, "GET", "/api/auth/me")["id"]
    kept = scene.call(VIEWER, "GET", "/api/instance")
    kept.pop("operator_registration")
    scene.call(VIEWER, "PUT", "/api/instance", {**kept, "name": "Meadow Labs"})
    for room, (visibility, topic) in ROOMS.items():
        made = {"name": room, "visibility": visibility, **({"topic": topic} if topic else {})}
        scene.rooms[room] = scene.call(VIEWER, "POST", "/api/rooms", made)["id"]
        for name in PEOPLE:
            if name != VIEWER:
                scene.call(
                    VIEWER, "PUT", f"/api/rooms/{scene.rooms[room]}/members/{scene.ids[name]}", {"role": "member"}
                )
    for name, (emoji, text) in STATUSES.items():
        scene.call(name, "PUT", "/api/auth/me/status", {"emoji": emoji, "text": text})
    with ExitStack() as stack:
        talks = {name: Talk(stack.enter_context(connect(ws)), token) for name, token in scene.tokens.items()}
        _write(scene, talks)
        for name in PEOPLE:
            if name not in ONLINE:
                talks[name].command("status", state="away")
        yield scene


def _write(scene: Scene, talks: dict[str, Talk]) -> None:
    for room, who, _, text in MESSAGES:
        talks[who].say("send", room=scene.rooms[room], text=text)
        scene.note(scene.rooms[room], text)
    room, number = scene.find(REPLY[0])
    talks[REPLY[1]].say("send", room=room, text=REPLY[3], reply_to=number)
    scene.note(room, REPLY[3])
    for who, _, text in DIRECT:
        talks[who].say("dm", to=scene.ids[VIEWER], text=text)
    for part, emoji, names in REACTIONS:
        room, number = scene.find(part)
        for name in names:
            talks[name].command("react", room=room, seq=number, emoji=emoji)
    room, number = scene.find(PINNED)
    talks[VIEWER].command("pin", room=room, seq=number)
    for room, number in dict(scene.numbers.values()).items():  # the last of each room
        unread = room == scene.rooms["release-2-0"]
        talks[VIEWER].command("read", room=room, seq=number - len(UNREAD) if unread else number)


def times() -> dict[str, str]:
    """A message's text → when it was written (RFC 3339)."""
    found = {text: when for _, _, when, text in MESSAGES} | {text: when for _, when, text in DIRECT}
    found[REPLY[3]] = REPLY[2]
    return {text: f"2026-11-{when[:2]}T{when[3:]}:00Z" for text, when in found.items()}


def date_messages(value: Any, known: dict[str, str], of_cases: bool = False) -> Any:
    """The same answer of the server, with the times of the scene in the place of the true ones; `of_cases`: all that is
    told of cases happened two minutes ago."""
    if isinstance(value, list):
        return [date_messages(one, known, of_cases) for one in value]
    if not isinstance(value, dict):
        return value
    dated = {key: date_messages(one, known, of_cases) for key, one in value.items()}
    text = dated.get("text")
    if isinstance(text, str) and text in known and "ts" in dated:
        dated["ts"] = known[text]
    if of_cases:
        dated |= {key: (NOW - timedelta(minutes=2)).isoformat() for key in ("opened", "at") if dated.get(key)}
    return dated
