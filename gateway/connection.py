"""A connection: a non-blocking socket in the multiplexer, with its outbox.

Rule 1: bytes leave in the order in which they were handed in.
Rule 2: nothing waits for a slow peer. What the kernel does not take at once stays in the outbox, which is bounded in
bytes. Over the bound, `on_slow` of the owner is called, once.
Rule 3: `on_lost` of the owner is called exactly once, and nothing of the owner after it.

The outbox is in one of three states:

    state     _outbox  _queued  watched for   write()   what ends it
    EMPTY     None     0        READ          sends     gather() -> GATHERED; a write() that the kernel cut -> QUEUED
    GATHERED  chunks   0        READ          appends   flush(), at the end of the turn -> EMPTY or QUEUED
    QUEUED    chunks   bytes    READ, WRITE   appends   the kernel took everything -> EMPTY

GATHERED waits for the end of the turn, so what several events of a turn bring leaves with one system call. QUEUED waits
for the peer. Only QUEUED counts bytes: a turn ends soon, but a peer may never read. `abort` leads to EMPTY from all.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Sequence
from typing import Protocol

from gateway.multiplexer import READ, WRITE, Multiplexer

logger = logging.getLogger(__name__)
READ_BYTES = 64 * 1024
_WRITE_BYTES = 256 * 1024
_CLOSE_HANDSHAKE_BYTES = 64 * 1024
_AGAIN = frozenset({-errno.EAGAIN, -errno.EWOULDBLOCK, -errno.EINTR})


class Owner(Protocol):
    """What a connection reports to: first the opening handshake, then the session."""

    def on_data(self, data: bytes) -> None:
        """Bytes arrived."""
        ...

    def on_eof(self) -> None:
        """The peer sends no more."""
        ...

    def on_slow(self) -> None:
        """The outbox was over its bound. All of it was dropped but the rest of a chunk that is partly sent."""
        ...

    def on_lost(self) -> None:
        """The connection is gone."""
        ...


class Connection:
    """One socket. `bound` is the outbox's, in bytes. `heard` becomes true with every read; keep-alive resets it."""

    __slots__ = ("_ending", "_mask", "_mux", "_outbox", "_queued", "_sock", "bound", "fd", "heard", "owner")

    def __init__(self, mux: Multiplexer, sock: socket.socket, bound: int) -> None:
        self._mux = mux
        self._sock = sock
        self.fd = sock.fileno()
        self.bound = bound
        self.heard = True
        self.owner: Owner | None = None
        self._outbox: list[bytes] | None = None
        self._queued = 0
        self._mask = READ
        self._ending = False
        mux.add_newcomer(self.fd, self)

    @property
    def queued_bytes(self) -> int:
        """Bytes that wait in the outbox because the peer does not read."""
        return self._queued

    @property
    def waiting_bytes(self) -> int:
        """Bytes in the outbox, whether they wait for the end of the turn or for the peer."""
        return self._queued or sum(map(len, self._outbox or ()))

    @property
    def lost(self) -> bool:
        """Whether the socket is closed."""
        return self.fd < 0

    def on_ready(self, mask: int) -> None:
        """The socket can be written or read, or has failed (`Ready` of the multiplexer)."""
        if mask & WRITE:
            self._write_outbox()
        # Errors and hang-ups come as other bits: `recv` says what they mean. Writing may just have ended it all.
        if mask & ~WRITE and self.fd >= 0:
            self._read_socket()

    def _read_socket(self) -> None:
        try:
            data = self._sock.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        owner = self.owner
        if owner is None:
            self.abort()
        elif data:
            self.heard = True
            owner.on_data(data)
        else:
            self._watch_events(self._mask & ~READ)
            owner.on_eof()

    def write(self, data: bytes) -> None:
        """Send now, or queue behind what waits (rule 1)."""
        if self._ending:
            return
        if self._mux.shared:
            self._mux.flush()  # rule 7 of the multiplexer
        outbox = self._outbox
        if outbox is not None:
            outbox.append(data)
            if self._queued:  # QUEUED; in GATHERED nothing is counted
                self._queued += len(data)
                if self._queued > self.bound:  # rule 2
                    self._drop_outbox()
            return
        if self.fd < 0:
            return
        try:
            sent = self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._lose(error)
            return
        if sent != len(data):
            self._queue_rest(data[sent:])

    def gather(self, data: bytes) -> None:
        """Send at the end of the turn, together with what else the turn brings: one system call for all."""
        if self._queued:
            self.write(data)
        elif self.fd >= 0 and not self._ending:
            if self._mux.shared:
                self._mux.shared.append(((self.fd,), data))
            elif self._outbox is None:
                self._outbox = [data]
                self._mux.dirty.append(self)  # so that the multiplexer calls `flush`
            else:
                self._outbox.append(data)

    def flush(self) -> None:
        """Write what was gathered; the multiplexer calls it."""
        data = self.take_gathered()
        if data:
            self.write(data)

    def take_gathered(self) -> bytes:
        """What was gathered; the caller sends it, before anything else is written. Empty when there is nothing."""
        outbox = self._outbox
        # Earlier in this turn, `abort` may have emptied it, or `end_writing` sent a part of it.
        if outbox is None or self._queued:
            return b""
        self._outbox = None
        return outbox[0] if len(outbox) == 1 else b"".join(outbox)

    def keep_unsent(self, data: bytes, result: int) -> None:
        """Of `data`, the kernel took `result` bytes, or none for now: the rest waits for the peer."""
        if result >= 0 or result in _AGAIN:
            self._keep_rest(data[max(result, 0) :])

    def report_unsent(self, result: int) -> None:
        """Act on the outcome of a send, once `keep_unsent` was called for all of its batch. Closed since: no effect."""
        if self.fd < 0:
            return
        if result < 0 and result not in _AGAIN:
            self._lose(OSError(-result, os.strerror(-result)))
        elif self._queued > self.bound:
            self._drop_outbox()

    def _queue_rest(self, rest: bytes) -> None:
        """The kernel took only a part, or nothing: the rest waits for the peer."""
        self._keep_rest(rest)
        if self._queued > self.bound:
            self._drop_outbox()

    def _keep_rest(self, rest: bytes) -> None:
        self._outbox = [rest]
        self._queued = len(rest)
        self._mux.behind.add(self)
        self._watch_events(self._mask | WRITE)

    def _write_outbox(self) -> None:
        """The kernel takes bytes again: give it what is queued."""
        outbox = self._outbox
        if outbox is None or not self._queued:
            return  # the event was meant for a socket that was closed in this turn, and had the same descriptor
        data = _take_chunks(outbox)
        try:
            sent = self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._lose(error)
            return
        self._queued -= sent
        if sent < len(data):
            outbox.insert(0, data[sent:])
        if not outbox:
            self._outbox = None
            self._mux.behind.discard(self)
            self._watch_events(self._mask & ~WRITE)
            if self._ending:
                self._shut_down_writing()

    def _drop_outbox(self) -> None:
        """Drop what is queued, but for the first chunk: a part of it may be sent, so the peer could not parse what
        follows without the rest."""
        outbox = self._outbox
        if outbox is None or self.owner is None:
            return
        self._outbox, self._queued = outbox[:1], len(outbox[0])
        # The first chunk alone may be over the bound. The close handshake, which comes next, must fit behind it without
        # a second `on_slow`.
        self.bound = self._queued + _CLOSE_HANDSHAKE_BYTES
        self.owner.on_slow()

    def let_in(self) -> None:
        """The peer is known, and no newcomer any more (rule 6 of the multiplexer)."""
        if self.fd >= 0:
            self._mux.let_in(self.fd, self._mask)

    def pause_reading(self) -> None:
        """Read no more for now: the kernel's buffer, and then the peer, wait."""
        if self.fd >= 0:
            self._watch_events(self._mask & ~READ)

    def resume_reading(self) -> None:
        """Read again."""
        if self.fd >= 0:
            self._watch_events(self._mask | READ)

    def _watch_events(self, mask: int) -> None:
        if mask != self._mask:
            self._mask = mask
            self._mux.change(self.fd, mask)

    def end_writing(self) -> None:
        """Send what is queued, then end our direction. Reading goes on until the peer ends its own."""
        if self._ending or self.fd < 0:
            return
        if self._mux.shared:
            self._mux.flush()  # rule 7 of the multiplexer
        if not self._queued:
            self.flush()  # GATHERED: the end of the turn would find that writing has ended
        self._ending = True
        if self._outbox is None:
            self._shut_down_writing()

    def _shut_down_writing(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        """The peer has reset the connection, or the network lost it: nothing that an operator could mend."""
        logger.debug("a connection was lost: %s", error.strerror)
        self.abort()

    def abort(self) -> None:
        """Close the socket at once. May be called at any time, and again."""
        if self._mux.shared:
            self._mux.flush()  # rule 7 of the multiplexer; it may find that this connection is lost
        if self.fd < 0:
            return
        self._mux.remove(self.fd)
        self._mux.behind.discard(self)
        self.fd = -1
        self._outbox, self._queued = None, 0
        self._sock.close()
        owner, self.owner = self.owner, None  # rule 3
        if owner is not None:
            owner.on_lost()


def broadcast(connections: Sequence[Connection], data: bytes, fds: Sequence[int] = ()) -> None:
    """Write the same bytes to each, now. The same as `write` for each, without the cost of a call.

    An owner that fails ends alone, as in a turn (rule 4 of the multiplexer): others wait for the same bytes. `fds` are
    the connections' descriptors, where the caller has them at hand: then, as a rule, no connection is looked at. In a
    large room that is half of what Python has to do, for a thousand connections are in no cache after a pause.
    """
    mux = connections[0]._mux if connections else None
    sends = mux.sends if mux is not None else None
    if mux is not None and mux.shared:
        mux.flush()  # rule 7 of the multiplexer
    if mux is None or sends is None or len(connections) < sends.least:
        _broadcast_one_by_one(connections, data)
        return
    idle: Sequence[Connection] = connections
    others: Sequence[Connection] = ()
    if mux.dirty or mux.behind or not fds:
        idle = [each for each in connections if each._outbox is None]  # EMPTY; a closed or ending one is in no channel
        if len(idle) < len(connections):
            others = [each for each in connections if each._outbox is not None]
        fds = [each.fd for each in idle]
    unsent = sends.send_batch(fds, data)
    for index, result in unsent:  # what is left is queued everywhere before any owner acts, and may write
        idle[index].keep_unsent(data, result)
    for index, result in unsent:
        try:
            idle[index].report_unsent(result)
        except Exception:
            logger.exception("a connection failed while it was written")
            idle[index].abort()
    _broadcast_one_by_one(others, data)


def gather_for_all(connections: Sequence[Connection], data: bytes, fds: Sequence[int]) -> None:
    """Gather the same bytes for each, with these descriptors. The same as `gather` for each, noted once for all."""
    mux = connections[0]._mux if connections else None
    if mux is None or mux.sends is None or mux.behind or len(connections) < mux.sends.least:
        for each in connections:
            each.gather(data)
    else:
        mux.shared.append((fds, data))


def _broadcast_one_by_one(connections: Sequence[Connection], data: bytes) -> None:
    size = len(data)
    for connection in connections:
        try:
            if connection._outbox is None:
                try:
                    sent = connection._sock.send(data)
                except (BlockingIOError, InterruptedError):
                    sent = 0
                except OSError as error:
                    connection._lose(error)
                    continue
                if sent != size:
                    connection._queue_rest(data[sent:])
            else:
                connection.write(data)
        except Exception:
            logger.exception("a connection failed while it was written")
            connection.abort()


def _take_chunks(outbox: list[bytes]) -> bytes:
    """Take the first chunks out of the outbox, as one: about as much as a kernel buffer takes."""
    size = count = 0
    for chunk in outbox:
        size += len(chunk)
        count += 1
        if size >= _WRITE_BYTES:
            break
    taken = outbox[0] if count == 1 else b"".join(outbox[:count])
    del outbox[:count]
    return taken
