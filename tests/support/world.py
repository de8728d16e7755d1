"""A whole small system in one task group: engines in memory, workers, an edge, and clients over socket pairs."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import anyio
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, RejectConnection, Request, TextMessage

from chat.domain.ids import new_id
from chat.domain.models import Role, Room, User, Visibility
from chat.engines.accounts import SqliteAccounts
from chat.engines.database import Database
from chat.engines.executor import InlineExecutor
from chat.engines.history import SqliteHistory
from chat.engines.log import SqliteLog
from chat.engines.notifications import SqliteNotifications
from chat.engines.pending import SqlitePendingNotifications
from chat.engines.presence import MemoryPresence
from chat.engines.relay import MemoryRelay
from chat.engines.rooms import SqliteRooms
from chat.engines.schema import STORE
from chat.ports.relay import Publication
from chat.settings import EdgeSettings, LimitSettings, TokenSettings
from chat.tokens import KeyRing
from chat.wire.records import DM_TOPIC, ROOM_TOPIC
from chat.wire.relay import MemberChanged, pack_control, pack_event, room_channel, user_channel
from gateway.command_session import CommandSession
from gateway.edge import Edge
from tests.support.patience import patient
from tests.support.settings import make_settings
from workers.persistence import PersistenceHandler
from workers.pool import Pool

DEADLINE = 30.0
"""Seconds for a frame that does not come; longer than a drain, which is the longest that a session is silent."""


class Clock:
    """The wall clock of a test: it follows the event loop's clock, from a fixed moment on."""

    def __call__(self) -> int:
        return 1_800_000_000_000 + int(anyio.current_time() * 1000)


class Client:
    """A WebSocket client on wsproto, for tests: answers by id, events in order."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.ws = WSConnection(ConnectionType.CLIENT)
        self.frames: list[dict[str, Any]] = []
        self.closed: tuple[int, str | None] | None = None
        self.rejected: int | None = None
        self.rejection = b""
        self.accepted = False
        self.eof = False
        self._ids = itertools.count(1)
        self._partial = ""

    async def open(self, headers: list[tuple[bytes, bytes]] | None = None, target: str = "/ws") -> Client:
        """Do the opening handshake."""
        self.write(self.ws.send(Request(host="edge.test", target=target, extra_headers=headers or [])))
        while not self.accepted and self.rejected is None and not self.eof:
            await self.pump()
        return self

    def write(self, data: bytes) -> None:
        """Send raw bytes."""
        assert self.sock.send(data) == len(data)

    async def pump(self) -> None:
        """Wait for bytes, and take in what they say."""
        with anyio.fail_after(patient(DEADLINE)):
            await anyio.wait_readable(self.sock)
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.eof = True
            return
        self.ws.receive_data(data)
        for event in self.ws.events():
            self._take(event)

    def _take(self, event: Any) -> None:
        match event:
            case AcceptConnection():
                self.accepted = True
            case RejectConnection():
                self.rejected = event.status_code
            case TextMessage():
                self._partial += event.data
                if event.message_finished:
                    self.frames.append(json.loads(self._partial))
                    self._partial = ""
            case Ping():
                self.write(self.ws.send(event.response()))
            case CloseConnection():
                self.closed = (event.code, event.reason)
                if self.ws.state.name == "REMOTE_CLOSING":
                    self.write(self.ws.send(event.response()))
            case BytesMessage():
                raise AssertionError("the server sends no binary frames")

    def post(self, type: str, **fields: Any) -> int:
        """Send a command without waiting; its id."""
        number = next(self._ids)
        self.text(json.dumps({"type": type, "id": number, **fields}))
        return number

    def text(self, text: str) -> None:
        """Send a text frame."""
        self.write(self.ws.send(TextMessage(data=text)))

    async def answer(self, number: int) -> dict[str, Any]:
        """The answer to a command."""
        return await self.until(lambda frame: frame["type"] in ("ok", "error") and frame["id"] == number)

    async def ask(self, type: str, **fields: Any) -> dict[str, Any]:
        """Send a command, and wait for its answer."""
        return await self.answer(self.post(type, **fields))

    async def event(self, type: str) -> dict[str, Any]:
        """The next event of that type; what came before it stays."""
        return await self.until(lambda frame: frame["type"] == type)

    async def until(self, wanted: Any) -> dict[str, Any]:
        """The first frame that is wanted."""
        while True:
            for index, frame in enumerate(self.frames):
                if wanted(frame):
                    return self.frames.pop(index)
            assert not self.eof, f"the connection ended; it was closed with {self.closed}"
            await self.pump()

    async def ended(self) -> tuple[int, str | None]:
        """The code and reason that the server closed with."""
        while self.closed is None:
            assert not self.eof, "the connection ended without a Close frame"
            await self.pump()
        return self.closed


class World:
    """The system and its people. Made by `world`."""

    def __init__(self, settings: EdgeSettings, limits: LimitSettings, clock: Clock) -> None:
        self.settings = settings
        self.limits = limits
        self.clock = clock
        self.accounts: SqliteAccounts
        self.rooms: SqliteRooms
        self.history: SqliteHistory
        self.notifications: SqliteNotifications
        self.pending: SqlitePendingNotifications
        self.log: SqliteLog
        self.relay: MemoryRelay
        self.presence: MemoryPresence
        self.keys: KeyRing
        self.edge: Edge
        self.socks: list[socket.socket] = []

    def client(self) -> Client:
        """A connected client whose handshake is still to be done."""
        ours, theirs = socket.socketpair()
        self.socks.append(ours)
        theirs.setblocking(False)
        self.edge.open_connection(theirs)
        return Client(ours)

    async def user(self, name: str) -> User:
        """A new account."""
        user = User(id=new_id(), name=name, created=self.clock())
        await self.accounts.create_user(user, None)
        return user

    async def room(self, owner: User, *members: User, role: Role = Role.MEMBER) -> str:
        """A new room with these people."""
        room = Room(id=new_id(), name="room", visibility=Visibility.PUBLIC, created=self.clock())
        await self.rooms.create_room(room, owner.id)
        await self.rooms.add_members(room.id, [member.id for member in members], role, self.clock())
        return room.id

    def token(self, user: User, *, seconds: int = 600, family: str | None = None) -> str:
        """An access token."""
        return self.keys.issue_token(user.id, user.name, family or new_id(), seconds)

    async def login(self, user: User, **token: Any) -> Client:
        """A client with a live session of that user."""
        client = await self.client().open()
        assert (await client.ask("auth", token=self.token(user, **token)))["type"] == "ok"
        return client

    async def remove(self, room: str, user: User, change: str = "banned") -> None:
        """Take a member out as the chat service does: first the store, then the word to the edges."""
        await self.rooms.remove_member(room, user.id)
        event = json.dumps({"type": "member", "room": room, "user": user.id, "change": change})
        control = MemberChanged(user=user.id, room=room, role=None, event=event)
        await self.relay.publish(
            [
                Publication(user_channel(user.id), pack_control(control)),
                Publication(room_channel(room), pack_event(event.encode())),
            ]
        )


def sessions_of(edge: Edge) -> set[CommandSession]:
    """The edge's sessions, as what they are."""
    return cast("set[CommandSession]", edge.node.registry.sessions)


@asynccontextmanager
async def another_edge(here: World, **collaborators: Any) -> AsyncIterator[Edge]:
    """One more edge of this world, with these collaborators in the place of the world's. Clients connect to it. With
    the context, it is cancelled."""
    names = ("log", "relay", "presence", "accounts", "rooms", "history", "keys", "clock", "settings", "limits")
    edge = Edge(**{**{name: getattr(here, name) for name in names}, **collaborators})
    before, here.edge = here.edge, edge
    try:
        async with anyio.create_task_group() as tasks:
            await tasks.start(edge.serve, [])
            yield edge
            tasks.cancel_scope.cancel()
    finally:
        here.edge = before


@asynccontextmanager
async def world(**settings: Any) -> AsyncIterator[World]:
    """A running system; every part ends with the context."""
    everything = make_settings(**settings.pop("limits", {}), **settings)
    made = everything.edge
    here = World(made, everything.limits, Clock())
    inline = InlineExecutor()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Database.open(None, executor=inline, schema=STORE))
        here.accounts = SqliteAccounts(store, clock=here.clock)
        here.rooms, here.history = SqliteRooms(store), SqliteHistory(store)
        here.notifications, here.pending = SqliteNotifications(store), SqlitePendingNotifications(store)
        here.log = await stack.enter_async_context(SqliteLog.open(None, executor=inline, clock=here.clock))
        here.relay = MemoryRelay()
        here.presence = await stack.enter_async_context(
            MemoryPresence.open(here.relay, here.clock, made.heartbeat_seconds, made.presence_damping_seconds)
        )
        here.keys = KeyRing(here.accounts, TokenSettings(), clock=here.clock)
        await here.keys.refresh_keys()
        async with anyio.create_task_group() as tasks:
            for topic in (ROOM_TOPIC, DM_TOPIC):
                handler = PersistenceHandler(here.history, here.accounts, here.relay)
                await tasks.start(Pool(here.log, "persistence", [topic], handler).run)
            here.edge = Edge(
                settings=made,
                limits=here.limits,
                log=here.log,
                relay=here.relay,
                presence=here.presence,
                accounts=here.accounts,
                rooms=here.rooms,
                history=here.history,
                keys=here.keys,
                clock=here.clock,
            )
            await tasks.start(here.edge.serve, [])
            try:
                yield here
            finally:
                tasks.cancel_scope.cancel()
                for sock in here.socks:
                    sock.close()


async def send_text(client: Client, room: str, text: str, client_id: str | None = None) -> str:
    """Send a text to a room, and return its client id once it is acknowledged."""
    client_id = client_id or str(uuid4())
    answer = await client.ask("send", room=room, text=text, client_id=client_id)
    assert answer == {"type": "ok", "id": answer["id"]}
    return client_id
