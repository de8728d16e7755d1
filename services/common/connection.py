"""One HTTP connection: hypercorn's protocols (see `http_protocols`) over an AnyIO stream.

Hypercorn's own drivers let one connection harm the server. On trio, an exception in one connection (a WebSocket upgrade
with a byte behind it; HTTP/2 DATA after an early answer) ends all. On both loops, a client that stops reading, or whose
body the application does not want, may hold a task for ever. This driver keeps four rules.

Rule 1: whatever is raised inside a connection ends that connection, and nothing else.
Rule 2: a connection is idle while no application runs for it. An idle one is closed after `Timeouts.idle`, and already
    `Timeouts.header` after the first byte that came meanwhile, even while more bytes trickle in: a slow header must
    not hold a connection as long as one that is kept alive for the next request.
Rule 3: every wait for the network has a deadline, and nobody waits to put an event for an application that has ended.
Rule 4: before a close, what the client still sends is read and dropped until it falls silent, within a bound. If the
    socket were closed with bytes unread, the kernel would send a reset, and the client would lose the answer (RFC 9112,
    section 9.6): one that uploads too much would never learn why it is refused.

The tasks of a connection: `run` reads; each request has a task of its own that runs the application and writes its
answer; hypercorn may start one that writes what HTTP/2's flow control allows. All are in one nursery, which ends with
the connection.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, cast

import anyio
from anyio.abc import SocketAttribute, SocketStream, TaskGroup
from hypercorn.typing import ASGIReceiveEvent, ASGISendEvent, Scope
from msgspec import Struct
from starlette.types import ASGIApp

from chat.concurrency import Broadcast
from chat.settings import HttpSettings
from services.common.http_protocols import HttpProtocols, PutEvent, SendEvent, ServerContext
from services.common.receive_queue import ReceiveQueue
from services.common.unread_answers import SMALL_BYTES

RECEIVE_BYTES = 65_536

# uvloop raises RuntimeError where AnyIO promises ClosedResourceError: for a transport that has closed itself after an
# error, as when the client reset the connection.
_STREAM_ERRORS = (OSError, RuntimeError, anyio.BrokenResourceError, anyio.ClosedResourceError)

logger = logging.getLogger("rookery.http")


class Timeouts(Struct, frozen=True):
    """In seconds: how long a connection may have no request (`idle`), the header of one may take (`header`), a client
    may send nothing within a body (`read`) or read nothing (`write`), and how long what it sends after the last answer
    is dropped: until it sends nothing for `linger`, and for `drop` in all.
    """

    idle: float = HttpSettings().keep_alive_seconds
    header: float = 10.0
    read: float = 30.0
    write: float = 30.0
    linger: float = 2.0
    drop: float = 30.0


def read_addresses(stream: SocketStream) -> tuple[tuple[str, int], tuple[str, int]] | None:
    """The client's address and the server's; None if the client has reset the connection already.

    Then AnyIO finds no peer (KeyError), or, on uvloop, no socket (AttributeError) or a closed one (ValueError).
    """
    try:
        attributes = stream.extra_attributes
        client, server = attributes[SocketAttribute.remote_address](), attributes[SocketAttribute.local_address]()
    except (KeyError, AttributeError, ValueError, OSError):
        return None
    return cast("tuple[str, int]", client), cast("tuple[str, int]", server)


class HttpConnection:
    """Serves one client, whose address is counted as `address`.

    It calls `on_idle` whenever it becomes idle (True) or busy (False), and `on_bytes` whenever bytes came.
    """

    def __init__(
        self,
        stream: SocketStream,
        app: ASGIApp,
        context: ServerContext,
        *,
        address: str,
        timeouts: Timeouts,
        on_idle: Callable[[HttpConnection, bool], None],
        on_bytes: Callable[[HttpConnection], None],
    ) -> None:
        self._stream = stream
        self._app = app
        self._context = context
        self._address = address
        self._timeouts = timeouts
        self._on_idle = on_idle
        self._on_bytes = on_bytes
        self._scope = anyio.CancelScope()
        self._reader = anyio.CancelScope()  # around all reading: its deadline is the idle one, and later that of linger
        self._receiving = anyio.CancelScope()  # around the read that is under way
        self._header_begun = False  # bytes came since the connection became idle
        self._sending = anyio.Lock(fast_acquire=True)  # the write itself yields
        self._last_bytes = 0.0  # when the client sent something last
        self._queues: set[ReceiveQueue] = set()
        self._running = 0  # applications at work: at most one on HTTP/1.1, one for each stream on HTTP/2
        self._all_ended = Broadcast()
        self._drop_until = math.inf  # rule 4: set when we begin to close
        self._closing = False  # we have sent all that we will send; the client may still be sending (rule 4)
        self._gone = False  # the client can get nothing more, so writing is pointless
        self._deliveries: set[anyio.CancelScope] = set()  # calls of `send` by applications that are under way
        self._protocols: HttpProtocols
        self._tasks: TaskGroup

    @property
    def waits_for_body_since(self) -> float | None:
        """When the client sent its last bytes, if every request of it still lacks a part of its body; else None."""
        waits = bool(self._queues) and all(queue.waits_for_client for queue in self._queues)
        return self._last_bytes if waits else None

    def abort(self) -> None:
        """Close at once."""
        self._scope.cancel()

    def close_if_idle(self) -> None:
        """Close this idle connection, unless it is closing: then the client still reads its last answer."""
        if not self._closing:
            self.abort()

    async def run(self) -> None:
        """Serve until the connection is closed. Raises whatever its protocol raises; the caller keeps rule 1."""
        with self._scope:
            async with self._stream, anyio.create_task_group() as self._tasks:
                self._protocols = self._open_protocols()
                await self._protocols.start()
                self._become_idle()
                with self._reader:
                    await self._read_requests()
                self._gone = True
                for delivery in self._deliveries:
                    delivery.cancel()
                await self._protocols.receive_closed()

    def _open_protocols(self) -> HttpProtocols:
        addresses = read_addresses(self._stream)
        if addresses is None:
            raise anyio.BrokenResourceError
        client, server = addresses
        return HttpProtocols(self, self._context, client=client, server=server)

    async def _read_requests(self) -> None:
        while True:
            data = await self._receive_bytes()
            if data is None:
                return
            self._last_bytes = anyio.current_time()
            self._on_bytes(self)
            if not self._running and not self._closing:
                self._expect_header()
            await self.take_turn()
            if self._closing:
                self._linger()
            else:
                await self._protocols.receive_bytes(data)
            if not data:
                # A half-closed connection: the client sends nothing more, and still waits for its answers.
                while self._running and not self._closing:
                    await self._all_ended.wait()
                return

    async def _receive_bytes(self) -> bytes | None:
        """The bytes that came, empty at the end of the stream; None when none came in time or the stream is broken."""
        with anyio.move_on_after(self._timeouts.read) as self._receiving:  # rule 3
            if self.waits_for_body_since is None:
                # The client has nothing to send: it waits for its answer, which has a deadline of its own (see
                # `outer_layer`), or the connection is idle, and the deadline of rule 2 holds.
                self._receiving.deadline = math.inf
            try:
                return await self._stream.receive(RECEIVE_BYTES)
            except anyio.EndOfStream:
                return b""
            except _STREAM_ERRORS:
                return None
        return None

    async def _write_bytes(self, data: bytes) -> None:
        with self.hold_answer(len(data)):
            await self._write_in_time(data)

    async def _write_in_time(self, data: bytes) -> None:
        async with self._sending:
            try:
                with anyio.fail_after(self._timeouts.write):  # rule 3
                    await self._stream.send(data)
            except (TimeoutError, *_STREAM_ERRORS):
                self._give_up_client()

    def _give_up_client(self) -> None:
        self._gone = True
        self._reader.cancel()

    def _become_idle(self) -> None:
        self._header_begun = False
        if not self._closing:
            self._reader.deadline = anyio.current_time() + self._timeouts.idle  # rule 2
            self._receiving.deadline = math.inf
        self._on_idle(self, True)

    def _expect_header(self) -> None:
        """Bytes came while no request was under way: it has to be complete soon (rule 2)."""
        if not self._header_begun:
            self._header_begun = True
            self._reader.deadline = min(self._reader.deadline, anyio.current_time() + self._timeouts.header)

    def _become_busy(self) -> None:
        if not self._closing:
            self._reader.deadline = math.inf
        self._on_idle(self, False)

    # The HttpTransport of `http_protocols`: called by the protocols, from the reader and from applications.

    async def send_bytes(self, data: bytes) -> None:
        """Write to the client; drop the bytes when it is gone."""
        if not self._gone:
            await self._write_bytes(data)

    async def close_gracefully(self) -> None:
        """End our half of the connection, and wait a moment for the client to end its half (rule 4)."""
        if self._closing:
            return
        self._closing = True
        self._drop_until = anyio.current_time() + self._timeouts.drop
        self._linger()
        try:
            await self._stream.send_eof()
        except _STREAM_ERRORS:
            self._give_up_client()

    def _linger(self) -> None:
        self._reader.deadline = min(self._drop_until, anyio.current_time() + self._timeouts.linger)  # rule 4

    async def take_turn(self) -> None:
        """Wait for a turn at the event loop: see `loop_turns`."""
        await self._context.turns.take_turn(self._address)

    def hold_answer(self, size: int) -> AbstractContextManager[None]:
        """The time in which so many bytes wait for the client: see `unread_answers`."""
        if size < SMALL_BYTES:
            return nullcontext()
        return self._context.unread.hold_answer(self._address, size, self.abort)

    def start_request(self, scope: Scope, send: SendEvent) -> PutEvent:
        """Start the application. The connection is busy until it has ended."""
        queue = ReceiveQueue()
        self._queues.add(queue)
        self._running += 1
        if self._running == 1:
            self._become_busy()
        self._tasks.start_soon(self._run_application, scope, queue, send)
        return queue.put_event

    def start_task(self, func: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        """Start a task of the protocols, such as the one that writes what HTTP/2's flow control allows."""
        self._tasks.start_soon(func, *args)

    async def _run_application(self, scope: Scope, queue: ReceiveQueue, send: SendEvent) -> None:
        app: Any = self._app
        try:
            await self.take_turn()
            await app(scope, partial(self._receive_event, queue), partial(self._deliver_event, send))
        except Exception as error:  # noqa: BLE001 - hypercorn answers 500, or closes when an answer had begun
            logger.warning("an application failed with %s", type(error).__name__)
        self._queues.discard(queue)
        queue.discard_events()  # rule 3: the reader may be waiting for room in the queue
        await self._deliver_event(send, None)
        self._running -= 1
        if self._running == 0:
            self._all_ended.notify_all()
            self._become_idle()

    async def _receive_event(self, queue: ReceiveQueue) -> ASGIReceiveEvent:
        await self._protocols.accept_body()
        return await queue.receive_event()

    async def _deliver_event(self, send: SendEvent, event: ASGISendEvent | None) -> None:
        """Hand an event of an application to hypercorn; None when the application has ended.

        Once the client is gone it does nothing, as ASGI asks. A delivery that is under way then is cancelled: hypercorn
        would wait for ever for that client to open its flow-control window (rule 3).
        """
        if self._gone:
            return
        with anyio.CancelScope() as delivery:
            self._deliveries.add(delivery)
            try:
                await send(event)
            finally:
                self._deliveries.discard(delivery)
