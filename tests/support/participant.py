"""A user's client for the fault tests, by `websockets` and not by our own library: it sends, resumes, and keeps
exactly what it was shown, with every breach of the protocol that it saw.

Its seqs must follow each other, over all of its connections: a hole that no `gap` announced, a message that comes
twice or in another place is a breach, and so is an answer that is no part of the contract.
"""

from __future__ import annotations

import itertools
import random
import uuid
from typing import TYPE_CHECKING, Any

import anyio
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.support.cluster_process import User
from tests.support.patience import patient

if TYPE_CHECKING:
    from tests.support.traffic import Traffic

Json = dict[str, Any]
PASSING = ("unavailable", "overloaded")
ANSWER_SECONDS = 30.0
_RETRY_SECONDS = 0.3
_SLOWEST_RETURN = 1.0


class Participant:
    """`rooms` it follows, and, as long as the traffic flows, sends to them and to `partner` in turn.

    `views`: of each room what was shown, as (seq, client id). `direct`: the partner's conversation by seq; `shown` are
    the client ids of direct messages whose text it got. `sent` and `acked` are (room or user, client id), in order.
    Some messages it sends again though they are acknowledged, and some of its own it edits or deletes: `changed` are
    the texts that were acknowledged so, None for a deletion, by (room, seq).
    """

    def __init__(self, traffic: Traffic, user: User, rooms: list[str], partner: User | None, *, sends: bool) -> None:
        self.user = user
        self.partner = partner
        self.rooms = rooms
        self.views: dict[str, list[tuple[int, str]]] = {room: [] for room in rooms}
        self.direct: dict[int, str] = {}
        self.shown: set[str] = set()
        self.sent: list[tuple[str, str]] = []
        self.acked: list[tuple[str, str]] = []
        self.changed: dict[tuple[str, int], str | None] = {}
        self.refused = 0
        self.sessions = 0
        self.gaps = 0
        self.told_waits: list[float] = []
        self.idle = not sends
        self.breaches: list[str] = []
        self._traffic = traffic
        self._sends = sends
        self._ids = itertools.count(1)
        self._turns = itertools.count(random.randrange(100))
        self._waiting: dict[int, tuple[Json, anyio.Event]] = {}
        self._answers: dict[int, Json] = {}
        self._told: float | None = None
        self._live: set[str] = set()  # rooms whose stream goes on behind what the view has
        self._ws: ClientConnection

    async def run(self) -> None:
        """Be there, until cancelled."""
        pause = 0.05
        while True:
            try:
                options: Json = {"proxy": None, "compression": None, "ping_interval": None, "max_queue": None}
                async with connect(self._traffic.ws, open_timeout=patient(ANSWER_SECONDS), **options) as self._ws:
                    pause = 0.05
                    try:
                        await self._session()
                    finally:
                        self._ws.transport.abort()  # a cancelled close would leave it open
            except (OSError, WebSocketException, InvalidHandshake, EOFError):
                pass
            await anyio.sleep(self._take_told_wait() or pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, _SLOWEST_RETURN)

    def _take_told_wait(self) -> float | None:
        """How long the server asked to wait, once; None for a client that comes back when it likes."""
        told, self._told = self._told, None
        return told

    async def _session(self) -> None:
        self._waiting.clear()
        self._live.clear()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._read, tasks.cancel_scope)
            if (await self._ask("auth", token=self.user.token))["type"] == "ok":
                self.sessions += 1
                for room in self.rooms:
                    tasks.start_soon(self._subscribe, room)
                if self.partner is not None:
                    tasks.start_soon(self._sync)
                if self._sends:
                    tasks.start_soon(self._send)
                await anyio.sleep_forever()
            tasks.cancel_scope.cancel()

    # Asking.

    async def _ask(self, kind: str, **fields: Any) -> Json:
        number = next(self._ids)
        asked = {key.rstrip("_"): value for key, value in fields.items()}
        done = anyio.Event()
        self._waiting[number] = ({"type": kind, **asked}, done)
        try:
            await self._ws.send(orjson.dumps({"type": kind, "id": number, **asked}).decode())
        except WebSocketException:
            await anyio.sleep_forever()  # the reader ends the session
        await done.wait()
        return self._answers.pop(number)

    async def _until_ok(self, kind: str, **fields: Any) -> Json:
        """The `ok`; asked again after what may pass."""
        while True:
            answer = await self._ask(kind, **fields)
            if answer["type"] == "ok":
                return answer
            if answer["code"] not in PASSING:
                self._breach(f"{kind} was refused: {answer}")
            self.refused += 1
            await anyio.sleep(_RETRY_SECONDS)

    async def _subscribe(self, room: str) -> None:
        # `since` is read anew for each attempt; the answer is taken in by the reader, in its place among the frames.
        while True:
            answer = await self._ask("subscribe", room=room, since=len(self.views[room]))
            if answer["type"] == "ok":
                return
            if answer["code"] not in PASSING:
                self._breach(f"subscribe was refused: {answer}")
            await anyio.sleep(_RETRY_SECONDS)

    async def _sync(self) -> None:
        assert self.partner is not None
        known = next(seq for seq in itertools.count(1) if seq not in self.direct) - 1
        await self._until_ok("sync", with_=self.partner.id, since=known)

    async def _send(self) -> None:
        """One after the other, each until it is acknowledged: so their order is promised."""
        while True:
            if len(self.acked) == len(self.sent):
                if not self._traffic.flowing:
                    self.idle = True
                    return
                await anyio.sleep(self._traffic.pace * random.uniform(0.5, 1.5))
                self.sent.append((self._next_target(), str(uuid.uuid4())))
            await self._say(*self.sent[-1])
            self.acked.append(self.sent[-1])
            if len(self.acked) % 7 == 0:
                await self._say(*random.choice(self.acked))
            if len(self.acked) % 5 == 0:
                await self._change()

    async def _say(self, target: str, client_id: str) -> None:
        if target in self.views:
            await self._until_ok("send", room=target, text=client_id, client_id=client_id)
        else:
            await self._until_ok("dm", to=target, text=client_id, client_id=client_id)

    async def _change(self) -> None:
        """Edit a message of one's own that was shown, or delete it. What is not acknowledged is begun again."""
        room, client_id = self.acked[-1]
        seq = next((seq for seq, shown in self.views.get(room, ())[-50:] if shown == client_id), None)
        if seq is None:
            return
        text = f"edited {uuid.uuid4()}"
        if len(self.acked) % 2:
            await self._until_ok("edit", room=room, seq=seq, text=text)
            self.changed[room, seq] = text
        else:
            await self._until_ok("delete", room=room, seq=seq)
            self.changed[room, seq] = None

    def _next_target(self) -> str:
        turn = next(self._turns)
        if self.partner is not None and turn % 4 == 0:
            return self.partner.id
        return self.rooms[turn % len(self.rooms)]

    # Reading.

    async def _read(self, scope: anyio.CancelScope) -> None:
        try:
            async for data in self._ws:
                self._take(orjson.loads(data))
        except WebSocketException:
            pass
        scope.cancel()

    def _take(self, frame: Json) -> None:
        kind = frame["type"]
        if kind in ("ok", "error"):
            self._answered(frame)
        elif kind == "message":
            self._message(frame)
        elif kind == "gap":
            self._gap(frame)
        elif kind == "closing":
            self.told_waits.append(frame["retry_after_ms"] / 1000)
            self._told = self.told_waits[-1] if self._traffic.obeys else None
        elif kind == "dm":
            self.shown.add(frame["client_id"])
        elif kind == "stored":
            self._stored(frame["seq"], frame["client_id"])
            if frame["client_id"] not in self.shown:
                self._traffic.start(self._fetch, frame["seq"])

    def _answered(self, frame: Json) -> None:
        asked, done = self._waiting.pop(frame["id"], ({"type": ""}, anyio.Event()))
        if frame["type"] == "ok" and asked["type"] == "subscribe":
            self._resumed(asked["room"], frame)
        elif frame["type"] == "ok" and asked["type"] == "sync":
            if not frame["recovered"]:
                self._breach(f"a direct conversation was not recovered from {asked['since']}: {frame['seq']}")
            for message in frame["messages"]:
                self.shown.add(message["client_id"])
                self._stored(message["seq"], message["client_id"])
        self._answers[frame["id"]] = frame
        done.set()

    def _resumed(self, room: str, answer: Json) -> None:
        view = self.views[room]
        if not answer["recovered"]:
            self._breach(f"room {room} was not recovered from {len(view)}; it is at {answer['seq']}")
        self._live.add(room)
        for message in answer["messages"]:
            self._show(room, message)
        if len(view) != answer["seq"]:
            self._breach(f"resuming gave {len(view)} of {answer['seq']} messages")

    def _message(self, frame: Json) -> None:
        if frame["room"] in self._live:  # else it comes again in the answer that is awaited
            self._show(frame["room"], frame)

    def _show(self, room: str, message: Json) -> None:
        view = self.views[room]
        if message["seq"] != len(view) + 1:
            self._breach(f"after {len(view)} came {message['seq']}, session {self.sessions}")
            return
        view.append((message["seq"], message["client_id"]))

    def _gap(self, frame: Json) -> None:
        self.gaps += 1
        room = frame.get("room")
        if room in self._live:
            self._live.discard(room)
            self._traffic.start(self._again, self._ws, room)

    async def _again(self, ws: ClientConnection, room: str) -> None:
        if self._ws is ws:
            with anyio.move_on_after(patient(ANSWER_SECONDS)):
                await self._subscribe(room)

    async def _fetch(self, seq: int) -> None:
        """A direct message was stored whose live copy did not come."""
        assert self.partner is not None
        with anyio.move_on_after(patient(ANSWER_SECONDS)):
            await self._until_ok("sync", with_=self.partner.id, since=seq - 1)

    def _stored(self, seq: int, client_id: str) -> None:
        if self.direct.setdefault(seq, client_id) != client_id:
            self._breach(f"direct message {seq} was {self.direct[seq]}, and is {client_id}")

    def _breach(self, what: str) -> None:
        self.breaches.append(f"{self.user.name}: {what}")
