"""One task that owns a poll set of thousands of sockets.

An epoll descriptor can be polled itself: it is readable while any socket in its set is ready. So the event loop waits
for one descriptor, whatever the number of connections, and all ready sockets are handled in one go, as callbacks.

Rule 1: the poll set's own descriptor is the only thing that the event loop waits for, so a ready socket costs no task
switch.
Rule 2: a turn handles a bounded number of ready sockets, then other tasks run. The poll set is level-triggered, so
a socket that was left out is still ready in the next turn.
Rule 3: what a turn gathers for a socket is written once, at the turn's end: `dirty` is empty at every await.
Rule 4: an exception from one socket's owner ends that socket and nothing else.
Rule 5: what leaves for many sockets leaves in one batch where the machine can do that (`gateway.sends`). What was left
over is queued everywhere before an owner is told of any outcome, so nothing that an owner then writes goes ahead of it.
Rule 6: newcomers, who shake hands and log in, are in a poll set of their own, which is one descriptor of the first. A
turn handles few of them, after all others: when everybody comes at once, those who are connected hardly notice.
Rule 7: what is gathered for many sockets at once is noted once (`shared`), with their descriptors. From then on until
the flush, everything that is gathered goes there, so that each socket gets all in order; and nothing is written to a
socket, nor is one closed, before a flush: its descriptor might be another's by then.
"""

from __future__ import annotations

import logging
import select
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from msgspec import Struct

from chat.concurrency import AutoResetEvent
from gateway.readiness import serve_readable
from gateway.sends import BatchSends

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
_TURN_SOCKETS = 256
_TURN_NEWCOMERS = 16

logger = logging.getLogger(__name__)


class Ready(Protocol):
    """Owner of a descriptor in the poll set."""

    def on_ready(self, mask: int) -> None:
        """The descriptor can be read or written, or has failed. Must not block."""
        ...

    def abort(self) -> None:
        """Close the descriptor at once."""
        ...


class Gathered(Protocol):
    """Has bytes to write at the end of the turn."""

    @property
    def fd(self) -> int: ...

    def flush(self) -> None:
        """Write them."""
        ...

    def take_gathered(self) -> bytes:
        """Give them to the caller, who writes them; empty when there are none any more."""
        ...

    def keep_unsent(self, data: bytes, result: int) -> None:
        """Queue what was left of `data`: `result` bytes were sent, or none (a negative errno). Calls no owner."""
        ...

    def report_unsent(self, result: int) -> None:
        """Tell the owner, if `result` is a failure for good, or made the queue too long."""
        ...

    def abort(self) -> None:
        """Close the descriptor at once."""
        ...


class MultiplexerStatistics(Struct, frozen=True):
    """`turns` of the loop, and the sockets that were `ready` in them, since the start."""

    descriptors: int
    turns: int
    ready: int


class Multiplexer:
    """The poll set and its loop. `sends` None: each socket is written by itself."""

    __slots__ = (
        "_count",
        "_flush_wanted",
        "_handlers",
        "_lobby",
        "_lobby_fd",
        "_lobby_ready",
        "_newcomers",
        "_poll",
        "_ready",
        "_turns",
        "behind",
        "dirty",
        "in_turn",
        "sends",
        "shared",
    )

    def __init__(self, sends: BatchSends | None = None) -> None:
        self.sends = sends
        self._poll, self._lobby = select.epoll(), select.epoll()
        self._lobby_fd = self._lobby.fileno()
        self._lobby_ready = False
        self._poll.register(self._lobby_fd, READ)
        # By descriptor. The kernel gives the least that is free, so a list has few holes, and a fifth of a dictionary's
        # size.
        self._handlers: list[Ready | None] = []
        self._count = 0
        self._newcomers: set[int] = set()
        self.in_turn = False
        """Whether a turn is under way, at whose end everything is flushed."""
        self._turns = 0
        self._ready = 0
        self.dirty: list[Gathered] = []
        self.shared: list[tuple[Sequence[int], bytes]] = []
        """Descriptors, and bytes that all of them get at the end of the turn, behind those of `dirty` (rule 7)."""
        self.behind: set[Gathered] = set()
        """Those whose peer does not read as fast as it is written to: something waits in their outbox."""
        self._flush_wanted = AutoResetEvent()

    def add(self, fd: int, handler: Ready, mask: int = READ) -> None:
        """Watch a descriptor (level-triggered). It must be non-blocking."""
        self._poll.register(fd, mask)
        self._set_handler(fd, handler)

    def _set_handler(self, fd: int, handler: Ready) -> None:
        handlers = self._handlers
        if fd >= len(handlers):
            handlers.extend([None] * (fd - len(handlers) + 64))
        handlers[fd] = handler
        self._count += 1

    def add_newcomer(self, fd: int, handler: Ready, mask: int = READ) -> None:
        """As `add`, for one that comes after those that are there already (rule 6)."""
        self._lobby.register(fd, mask)
        self._set_handler(fd, handler)
        self._newcomers.add(fd)

    def let_in(self, fd: int, mask: int) -> None:
        """The descriptor is no newcomer any more."""
        if fd in self._newcomers:
            self._newcomers.discard(fd)
            self._lobby.unregister(fd)
            self._poll.register(fd, mask)

    def change(self, fd: int, mask: int) -> None:
        """Watch it for other events; with 0, only for errors."""
        self._poll_of(fd).modify(fd, mask)

    def remove(self, fd: int) -> None:
        """Stop watching. Call it before the descriptor is closed."""
        self._handlers[fd] = None
        self._count -= 1
        self._poll_of(fd).unregister(fd)
        self._newcomers.discard(fd)

    def _poll_of(self, fd: int) -> select.epoll:
        return self._lobby if fd in self._newcomers else self._poll

    def flush(self) -> None:
        """Write what was gathered. Call it before every await that follows a `gather` (rule 3)."""
        dirty, self.dirty = self.dirty, []  # a flush may fail, and what its owner does then may gather again
        if self.shared:
            self._flush_shared(dirty)
            return
        if self.sends is not None and len(dirty) >= self.sends.least:
            self._flush_batch(self.sends, dirty)
            return
        for each in dirty:
            try:
                each.flush()
            except Exception:  # rule 4
                logger.exception("a connection failed while it was written")
                each.abort()

    def _flush_batch(self, sends: BatchSends, dirty: list[Gathered]) -> None:
        taken = [(each, data) for each in dirty if (data := each.take_gathered())]
        owners = [each for each, _ in taken]
        self._send_batch(sends, owners.__getitem__, [each.fd for each in owners], [data for _, data in taken])

    def _flush_shared(self, dirty: list[Gathered]) -> None:
        """Write what is in `dirty`, and behind it what is shared, to each socket with one send (rule 7)."""
        shared, self.shared = self.shared, []
        data = {each.fd: gathered for each in dirty if (gathered := each.take_gathered())}
        several: dict[int, list[bytes]] = {}
        for fds, chunk in shared:
            if data.keys().isdisjoint(fds):  # so mostly, and then Python looks at none of them
                data.update(dict.fromkeys(fds, chunk))
                continue
            for fd in fds:
                before = data.get(fd)
                if before is None:
                    data[fd] = chunk
                else:
                    several.setdefault(fd, [before]).append(chunk)
        for fd, chunks in several.items():
            data[fd] = b"".join(chunks)
        fds, handlers = list(data), self._handlers
        if self.sends is not None:
            self._send_batch(self.sends, lambda at: cast("Gathered", handlers[fds[at]]), fds, list(data.values()))

    def _send_batch(
        self, sends: BatchSends, owner_of: Callable[[int], Gathered], fds: Sequence[int], data: Sequence[bytes]
    ) -> None:
        unsent = [(owner_of(index), data[index], result) for index, result in sends.send_batch(fds, data)]
        for each, rest, result in unsent:  # rule 5
            each.keep_unsent(rest, result)
        for each, _, result in unsent:
            try:
                each.report_unsent(result)
            except Exception:  # rule 4
                logger.exception("a connection failed while it was written")
                each.abort()

    def flush_soon(self) -> None:
        """Write what was gathered soon, with more of it: at the end of this turn, or outside one, as by the log's
        callbacks, in a task."""
        if not self.in_turn:
            self._flush_wanted.set()

    async def run_flushes(self) -> None:
        """Do what `flush_soon` asks for, until cancelled."""
        while True:
            await self._flush_wanted.wait()
            self.flush()

    async def run(self) -> None:
        """Serve the poll set until cancelled."""
        await serve_readable(self._poll.fileno(), self._handle_turn)  # rule 1

    def _handle_turn(self) -> None:
        self._turns += 1
        self.in_turn = True
        self._handle_events(self._poll.poll(0, _TURN_SOCKETS))  # rule 2
        if self._lobby_ready:
            self._lobby_ready = False
            self._handle_events(self._lobby.poll(0, _TURN_NEWCOMERS))  # rule 6
        self.in_turn = False
        if self.dirty or self.shared:
            self.flush()  # rule 3

    def _handle_events(self, events: list[tuple[int, int]]) -> None:
        handlers = self._handlers
        self._ready += len(events)
        for fileno, mask in events:
            handler = handlers[fileno] if fileno < len(handlers) else None
            if handler is None:  # the lobby, or removed by an earlier event of this turn
                if fileno == self._lobby_fd:
                    self._lobby_ready = True
                    self._ready -= 1
                continue
            try:
                handler.on_ready(mask)
            except Exception:  # rule 4
                logger.exception("a connection failed")
                handler.abort()

    def close(self) -> None:
        """Close the poll set; the descriptors stay their owners'."""
        self._lobby.close()
        self._poll.close()
        if self.sends is not None:
            self.sends.close()

    def statistics(self) -> MultiplexerStatistics:
        """Counts since the start."""
        return MultiplexerStatistics(self._count, self._turns, self._ready)
