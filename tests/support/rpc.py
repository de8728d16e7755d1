"""Services behind RPC that know how to misbehave, servers of them, and clients of every binding."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

import anyio
import msgspec
import sniffio
from anyio.abc import TaskStatus
from anyio.streams.memory import MemoryObjectSendStream

from chat.adapters.rpc import tracing
from chat.adapters.rpc.authority import GrpcAuthority, auth_service
from chat.adapters.rpc.bindings import serve_rpc
from chat.adapters.rpc.conversations import GrpcConversations, chat_service
from chat.adapters.rpc.deadline import served_until
from chat.adapters.rpc.grpcio.bridge import make_waker
from chat.adapters.rpc.moderation import GrpcModeration, moderation_service
from chat.adapters.rpc.statistics import RpcStatistics
from chat.domain.models import Member, Message, Role, Room, Visibility
from chat.domain.moderation import Block, BlockChange, Content, Finding, Verdict
from chat.errors import Blocked, Conflict, NotFound, Overloaded, RateLimited, RookeryError, Unauthorized, Unavailable
from chat.ports.authority import Revocation, RoomAccess, TokenInfo
from chat.settings import Address, Binding, RpcSettings
from tests.support.patience import patient

T = TypeVar("T")

LOOPBACK = Address("127.0.0.1", 0)

ADA = "11111111-1111-4111-8111-111111111111"
BOB = "22222222-2222-4222-8222-222222222222"
ROOM = "33333333-3333-4333-8333-333333333333"
OTHER = "44444444-4444-4444-8444-444444444444"

INFO = TokenInfo(user=ADA, name="ada", family=OTHER, expires=1_800_000_000.5, display_name="Ada Ott")
A_ROOM = Room(id=ROOM, name="Kräuter", visibility=Visibility.PUBLIC, created=17)
A_MEMBER = Member(user=ADA, name="ada", role=Role.MODERATOR, joined=18, display_name="Ada Ott")
A_MESSAGE = Message(
    conversation=f"room:{ROOM}",
    seq=1,
    sender=ADA,
    sender_name="ada",
    text="höi",
    ts=19,
    client_id=OTHER,
    reply_to=None,
    mentions=(BOB,),
    edited=True,
)
WITHDRAWN = msgspec.structs.replace(A_MESSAGE, seq=2, text=None, moderated=True, reply_to=1)


class Watched(Generic[T]):
    """Hands what is published to all who watch."""

    def __init__(self) -> None:
        self.watchers: list[MemoryObjectSendStream[T]] = []

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[T]]:
        send, receive = anyio.create_memory_object_stream[T](100)
        self.watchers.append(send)
        try:
            with send, receive:
                yield receive
        finally:
            self.watchers.remove(send)

    def publish(self, item: T) -> None:
        for watcher in self.watchers:
            watcher.send_nowait(item)


class FakeAuthority:
    """Tokens are orders: `good`, or what shall go wrong."""

    def __init__(self) -> None:
        self.revocations = Watched[Revocation]()
        self.hanging = 0
        self.cancelled = 0
        self.released = False
        self.calls = 0
        self.trace: dict[str, str] = {}
        self.time_left = 0.0

    async def check_token(self, token: str) -> TokenInfo:
        self.calls += 1
        self.trace = dict(tracing.trace_metadata())
        self.time_left = min(served_until.get(), anyio.current_effective_deadline()) - anyio.current_time()
        match token:
            case "hang":
                await self._hang()
            case "wait":
                self.hanging += 1
                await until(lambda: self.released)
                self.hanging -= 1
            case "revoke":
                self.revocations.publish(Revocation(user=ADA, family=OTHER, code=4001, reason="löged out"))
                self.revocations.publish(Revocation(user=ADA, family=None, code=4003, reason=""))
            case _ if token in ERRORS:
                raise ERRORS[token]
        return INFO

    async def check_tokens(self, tokens: Sequence[str]) -> Sequence[TokenInfo | RookeryError]:
        return [await self.check_token(token) for token in tokens]

    async def _hang(self) -> None:
        self.hanging += 1
        try:
            await anyio.sleep_forever()
        finally:
            self.hanging -= 1
            self.cancelled += 1

    async def room_access(self, pairs: Sequence[tuple[str, str]]) -> Sequence[RoomAccess]:
        return [
            RoomAccess(user=user, room=room, role=Role.MEMBER, actions=frozenset({"send", "read"}))
            if room == ROOM
            else RoomAccess(user=user, room=room, role=None, actions=frozenset())
            for user, room in pairs
        ]

    def watch_revocations(self) -> AbstractAsyncContextManager[AsyncIterator[Revocation]]:
        return self.revocations.watch()


def _blocked() -> Blocked:
    return Blocked("the account is blocked")


ERRORS: dict[str, Exception] = {
    "ended": Unauthorized("the token is over; log in again"),
    "blocked": _blocked(),
    "unknown": NotFound("there is no such user", field="user"),
    "taken": Conflict("the name is taken", field="name"),
    "often": RateLimited("too often", retry_after_ms=1234),
    "full": Overloaded("a queue of the inside is full"),
    "down": Unavailable("the inside is down"),
    "defect": ValueError("a secret of the inside"),
}


class FakeConversations:
    """One room with one member and two messages."""

    async def get_rooms(self, ids: Sequence[str]) -> Sequence[Room]:
        return [A_ROOM for room in ids if room == ROOM]

    async def get_roles(self, pairs: Sequence[tuple[str, str]]) -> Sequence[Role | None]:
        return [Role.OWNER if pair == (ADA, ROOM) else None for pair in pairs]

    async def list_members(self, room: str, after: str, limit: int) -> Sequence[Member]:
        if room != ROOM:
            raise NotFound("there is no such room", field="room")
        return [A_MEMBER] if after < "ada" else []

    async def get_messages(self, places: Sequence[tuple[str, int]]) -> Sequence[Message]:
        return [message for message in (A_MESSAGE, WITHDRAWN) if (message.conversation, message.seq) in places]


class FakeModeration:
    """Removes what says `bad`."""

    def __init__(self) -> None:
        self.changes = Watched[BlockChange]()
        self.held: dict[str, Block] = {}
        self.batches: list[int] = []

    async def check_contents(self, contents: Sequence[Content]) -> Sequence[Finding]:
        self.batches.append(len(contents))
        return [
            Finding(verdict=Verdict.REMOVE, rule="words", reason="rude")
            if "bad" in content.text
            else Finding(verdict=Verdict.ALLOW)
            for content in contents
        ]

    async def block_user(self, user: str, *, by: str, reason: str, seconds: int | None) -> Block:
        if user == OTHER:
            raise NotFound("there is no such user", field="user")
        until = None if seconds is None else 1000 + seconds * 1000
        block = self.held[user] = Block(user=user, by=by, reason=reason, since=1000, until=until)
        self.changes.publish(BlockChange(user=user, block=block))
        return block

    async def unblock_user(self, user: str, *, by: str, reason: str = "") -> bool:
        existed = self.held.pop(user, None) is not None
        self.changes.publish(BlockChange(user=user, block=None))
        return existed

    async def list_blocks(self, after: str, limit: int) -> Sequence[Block]:
        return [block for user, block in sorted(self.held.items()) if user > after][:limit]

    def watch_blocks(self) -> AbstractAsyncContextManager[AsyncIterator[BlockChange]]:
        return self.changes.watch()


@dataclass
class Served:
    """A server that runs, and what stands behind it."""

    address: Address = LOOPBACK
    authority: FakeAuthority = field(default_factory=FakeAuthority)
    moderation: FakeModeration = field(default_factory=FakeModeration)
    statistics: RpcStatistics = field(default_factory=lambda: RpcStatistics("server"))
    stop: Callable[[], object] = lambda: None
    """Begin to stop, from any thread."""

    async def run(self, settings: RpcSettings, address: Address, *, task_status: TaskStatus[Address]) -> None:
        services = [
            auth_service(self.authority),
            chat_service(FakeConversations()),
            moderation_service(self.moderation),
        ]
        await serve_rpc(services, address, settings, grace=10, statistics=self.statistics, task_status=task_status)


@asynccontextmanager
async def serving(settings: RpcSettings, address: Address = LOOPBACK) -> AsyncIterator[Served]:
    """A server of this binding. grpcio's knows asyncio alone: from other loops it runs in a thread of its own."""
    served = Served()
    if settings.binding == "grpcio" and sniffio.current_async_library() != "asyncio":
        async with _in_a_thread(served, settings, address):
            yield served
        return
    async with anyio.create_task_group() as tasks:
        inner: Any = await tasks.start(_scoped, served, settings, address)
        served.stop = partial(make_waker(), inner.cancel)
        yield served
        inner.cancel()


async def _scoped(served: Served, settings: RpcSettings, address: Address, *, task_status: TaskStatus[Any]) -> None:
    async with anyio.create_task_group() as tasks:
        served.address = await tasks.start(partial(served.run, settings, address))
        task_status.started(tasks.cancel_scope)


@asynccontextmanager
async def _in_a_thread(served: Served, settings: RpcSettings, address: Address) -> AsyncIterator[None]:
    ready = threading.Event()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            served.address = await tasks.start(partial(served.run, settings, address))
            token: Any = anyio.lowlevel.current_token().native_token
            served.stop = partial(_soon, token, tasks.cancel_scope.cancel)
            ready.set()

    thread = threading.Thread(target=anyio.run, args=(main,), kwargs={"backend": "asyncio"})
    thread.start()
    await anyio.to_thread.run_sync(ready.wait)
    try:
        yield
    finally:
        served.stop()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(thread.join)


def _soon(loop: Any, function: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # the loop has ended already
        loop.call_soon_threadsafe(function)


@dataclass
class Clients:
    """One of each, over one binding."""

    authority: GrpcAuthority
    conversations: GrpcConversations
    moderation: GrpcModeration


@asynccontextmanager
async def connected(address: Address, settings: RpcSettings) -> AsyncIterator[Clients]:
    async with (
        GrpcAuthority.connect(address, settings) as authority,
        GrpcConversations.connect(address, settings) as conversations,
        GrpcModeration.connect(address, settings) as moderation,
    ):
        yield Clients(authority, conversations, moderation)


async def until(condition: Callable[[], object]) -> None:
    """Wait for what another task, or another thread, brings about."""
    with anyio.fail_after(patient(10)):
        while not condition():  # noqa: ASYNC110 - it may come true in another thread
            await anyio.sleep(0.002)


BINDINGS: tuple[Binding, ...] = ("grpcio", "purerpc")
