"""The client on AnyIO: one task group that connects, reads, writes and reconnects, around the sans-IO `Core`."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup
from msgspec import Struct

from chat.concurrency import Backoff, OneShot
from rookery.client.calls import Call, Settle
from rookery.client.core import Core
from rookery.client.errors import ClientClosed, ClientError, TimedOut
from rookery.client.events import Event, FollowOk, OkAnswer, Person, PresenceOk, SubscribeOk, SyncOk
from rookery.client.session import Sessions
from rookery.client.tokens import Token
from rookery.client.transport import Dial, Url, dial_tcp


class Statistics(Struct, frozen=True):
    """What the client holds now, and what happened so far."""

    buffered_events: int
    pending_calls: int
    connections: int
    resumes: int
    duplicates_dropped: int


class Client:
    """A user's session, kept up across connections. `connect` makes it; any number of tasks may use it.

    Each method returns when the server has answered `ok`. It raises `CommandRefused` when the server refused,
    `TimedOut` when no answer came before the deadline, and the error that ended the client when it has ended. A command
    outlives its connection: it is sent again on the next one.
    """

    def __init__(self, core: Core, sessions: Sessions, *, timeout: float, max_pending: int) -> None:
        self._core = core
        self._sessions = sessions
        self._timeout = timeout
        self._slots = anyio.Semaphore(max_pending)

    @property
    def user(self) -> Person:
        """The user that the client is logged in as."""
        return self._core.user or Person("")

    @property
    def session(self) -> str:
        """The id of the present session; another one after a reconnect."""
        return self._core.session or ""

    def statistics(self) -> Statistics:
        """The figures of this moment."""
        core = self._core
        return Statistics(core.buffered, core.pending, self._sessions.connections, core.resumes, core.duplicates)

    def __aiter__(self) -> Client:
        return self

    async def __anext__(self) -> Event:
        """The next event. Raises what ended the client; ends when the client was closed."""
        try:
            return await self._sessions.next_event()
        except ClientClosed:
            raise StopAsyncIteration from None

    # Rooms.

    async def subscribe(self, room: str, *, since: int | None = None, timeout: float | None = None) -> int:
        """Follow a room; the seq of its newest message.

        With `since`, the messages after it come first, or a `Missed` for those that are too old. After a reconnect
        the client resumes by itself.
        """
        answer = await self._await_answer(lambda settle: self._core.subscribe(room, since, settle), timeout)
        return answer.seq if isinstance(answer, SubscribeOk | SyncOk) else 0

    async def unsubscribe(self, room: str, *, timeout: float | None = None) -> None:
        """Stop following a room."""
        await self._await_answer(lambda settle: self._core.unsubscribe(room, settle), timeout)

    async def send(
        self,
        room: str,
        text: str,
        client_id: str | None = None,
        *,
        reply_to: int | None = None,
        timeout: float | None = None,
    ) -> str:
        """Send a message; its `client_id`. When this returns the message is durable.

        After `TimedOut`, or a crash of your program, send again with the same `client_id`: the message exists once.
        Sends that run at the same time keep their order, unless the server refuses one for a while.
        """
        client_id = client_id or str(uuid.uuid4())
        fields: dict[str, Any] = {"room": room, "text": text, "client_id": client_id}
        if reply_to is not None:
            fields["reply_to"] = reply_to
        await self._run_command("send", fields, timeout)
        return client_id

    async def dm(self, to: str, text: str, client_id: str | None = None, *, timeout: float | None = None) -> str:
        """Send a direct message to a user (by id); its `client_id`. The guarantees are those of `send`."""
        client_id = client_id or str(uuid.uuid4())
        await self._run_command("dm", {"to": to, "text": text, "client_id": client_id}, timeout)
        return client_id

    async def sync(self, with_: str, since: int = 0, *, timeout: float | None = None) -> int:
        """Catch up with a direct conversation; its newest seq. The messages after `since` come as events."""
        answer = await self._await_answer(lambda settle: self._core.sync(with_, since, settle), timeout)
        return answer.seq if isinstance(answer, SubscribeOk | SyncOk) else 0

    # Messages. Each method takes `room`, or `with_`, which is the other user of a direct conversation.

    async def edit(
        self, seq: int, text: str, *, room: str | None = None, with_: str | None = None, timeout: float | None = None
    ) -> None:
        """Change the text of your message."""
        await self._run_command("edit", {**_name_conversation(room, with_), "seq": seq, "text": text}, timeout)

    async def delete(
        self, seq: int, *, room: str | None = None, with_: str | None = None, timeout: float | None = None
    ) -> None:
        """Delete your message, or, as a moderator of the room, anybody's."""
        await self._run_command("delete", {**_name_conversation(room, with_), "seq": seq}, timeout)

    async def react(
        self,
        seq: int,
        emoji: str,
        *,
        remove: bool = False,
        room: str | None = None,
        with_: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Add your reaction, or remove it (`remove`)."""
        fields = {**_name_conversation(room, with_), "seq": seq, "emoji": emoji, "remove": remove}
        await self._run_command("react", fields, timeout)

    async def pin(self, room: str, seq: int, *, timeout: float | None = None) -> None:
        """Pin a message of a room for everybody to find; for moderators of the room."""
        await self._run_command("pin", {"room": room, "seq": seq}, timeout)

    async def unpin(self, room: str, seq: int, *, timeout: float | None = None) -> None:
        """Take a message out of those that are pinned; for moderators of the room."""
        await self._run_command("unpin", {"room": room, "seq": seq}, timeout)

    async def read(
        self, seq: int, *, room: str | None = None, with_: str | None = None, timeout: float | None = None
    ) -> None:
        """Mark everything up to `seq` as read."""
        await self._run_command("read", {**_name_conversation(room, with_), "seq": seq}, timeout)

    async def typing(self, *, room: str | None = None, with_: str | None = None, timeout: float | None = None) -> None:
        """Say that you are typing. Raises `ConnectionLost` when the connection ends first: it would be stale later."""
        await self._run_command("typing", _name_conversation(room, with_), timeout, keep=False)

    # People.

    async def presence(self, users: Sequence[str], *, timeout: float | None = None) -> dict[str, str]:
        """Watch these users, and no others; their states now. After a reconnect the client asks again."""
        answer = await self._run_command("presence", {"users": list(users)}, timeout)
        return dict(answer.states) if isinstance(answer, PresenceOk) else {}

    async def follow(self, rooms: Sequence[str], *, timeout: float | None = None) -> dict[str, int]:
        """Get the `Activity` of these rooms, and of no others: their newest seqs now. For rooms that are too many to be
        subscribed. After a reconnect the client asks again."""
        answer = await self._run_command("follow", {"rooms": list(rooms)}, timeout)
        return dict(answer.rooms) if isinstance(answer, FollowOk) else {}

    async def status(self, state: str, *, timeout: float | None = None) -> None:
        """Be `online` or `away`; this holds after a reconnect, too."""
        await self._run_command("status", {"state": state}, timeout)

    # How a command waits.

    async def _run_command(
        self, kind: str, fields: dict[str, Any], timeout: float | None, *, keep: bool = True
    ) -> OkAnswer:
        return await self._await_answer(lambda settle: self._core.call(kind, fields, settle, keep=keep), timeout)

    async def _await_answer(self, issue: Callable[[Settle], Call], timeout: float | None) -> OkAnswer:
        seconds = self._timeout if timeout is None else timeout
        outcome = OneShot[OkAnswer | ClientError]()
        with anyio.move_on_after(seconds):
            async with self._slots:
                self._sessions.raise_if_ended()
                call = issue(outcome.resolve)
                self._sessions.hand_over()
                try:
                    await outcome.wait()
                finally:
                    if not outcome.is_done():
                        self._core.forget(call)
        if not outcome.is_done():
            raise TimedOut(f"no answer within {seconds} s; the command may yet take effect")
        answer = await outcome.wait()
        if isinstance(answer, ClientError):
            raise answer
        return answer


def _name_conversation(room: str | None, with_: str | None) -> dict[str, str]:
    if (room is None) == (with_ is None):
        raise ValueError("give either `room`, or `with_` for a direct conversation")
    return {"room": room} if room is not None else {"with": with_ or ""}


@asynccontextmanager
async def connect(
    url: str,
    *,
    token: Token,
    timeout: float = 30.0,
    connect_timeout: float = 10.0,
    buffer: int = 1024,
    max_pending: int = 256,
    max_message: int = 8 * 1024 * 1024,
    backoff: Backoff | None = None,
    ssl_context: ssl.SSLContext | None = None,
    dial: Dial | None = None,
) -> AsyncIterator[Client]:
    """Connect, authenticate, and stay connected until the block ends.

    `url` begins with `ws://` or `wss://`; its path is `/ws` if it has none. `token` is an access token, or an async
    function that gives a fresh one; a session outlives its first token only with a function. Times are in seconds:
    `timeout` for the first session and for each command, `connect_timeout` for each attempt. `buffer` is the number of
    events that may wait for your program; when it is full, messages are not lost, because the client resumes once there
    is space. `max_pending` is the number of commands in flight; more wait for their turn. `dial` makes the byte stream
    in place of TCP.

    Raises `ConnectionLost` when there is no session within `timeout`, `AuthenticationFailed`, `Blocked` and
    `HandshakeRejected`. Later, calls and the iteration raise these.
    """
    address = Url(url)
    core = Core(capacity=buffer)
    sessions = Sessions(
        core,
        address,
        dial or dial_tcp(address, ssl_context),
        token,
        backoff=backoff or Backoff(),
        connect_timeout=connect_timeout,
        max_message=max_message,
    )
    client = Client(core, sessions, timeout=timeout, max_pending=max_pending)
    failure: Exception | None = None
    async with anyio.create_task_group() as group:
        try:
            await _start_sessions(group, sessions, timeout)
            yield client
        except Exception as error:  # noqa: BLE001 # raised below, outside the task group, as it is and not in a group
            failure = error
        finally:
            sessions.end_client(ClientClosed("the client was closed"))
            group.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _start_sessions(group: TaskGroup, sessions: Sessions, timeout: float) -> None:
    group.start_soon(sessions.run_sessions)
    await sessions.first_session(timeout)
