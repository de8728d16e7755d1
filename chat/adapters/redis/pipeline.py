"""Commands of many tasks to one node, on one connection: written together, answered in order.

Rule 1: the commands of one call are written in one piece, or not at all; a call that is cancelled before they were
written had no effect. Rule 2: calls are carried out in the order in which they were made. Rule 3: whoever waits has a
deadline, and hears at once when the connection breaks; what was written then may have taken effect. Rule 4: while the
node cannot be reached, calls fail at once.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import Any

import anyio
import anyio.lowlevel

from chat.adapters.redis.stream import LOST, Delays, RedisStream, connect
from chat.adapters.redis.target import Address, Target
from chat.errors import Overloaded, Unavailable

QUEUED_BYTES = 16 * 1024 * 1024
_logger = logging.getLogger(__name__)


class _Call:
    """Commands on their way: `replies` are there when `done` is set and `error` is None."""

    __slots__ = ("count", "data", "done", "error", "replies")

    def __init__(self, commands: Sequence[bytes]) -> None:
        self.data = b"".join(commands)
        self.count = len(commands)
        self.replies: list[Any] = []
        self.done = anyio.Event()
        self.error: Unavailable | None = None


class Pipeline:
    """One node's connection; `run` keeps it up."""

    def __init__(self, target: Target, address: Address, timeout_s: float, *, queued_bytes: int = QUEUED_BYTES) -> None:
        self._target = target
        self._address = address
        self._timeout = timeout_s
        self._queued_bytes = queued_bytes
        self._queue: list[_Call] = []
        self._size = 0
        self._written: deque[_Call] = deque()
        self._wanted = anyio.Event()
        self._down = False
        self._reads = 0

    async def execute(self, commands: Sequence[bytes]) -> Sequence[Any]:
        """Carry out packed commands; their replies, among which may be `hiredis.ReplyError`s.

        Raises `Unavailable`, and `Overloaded` when too much waits.
        """
        if self._down:
            await anyio.lowlevel.checkpoint()
            raise self._away()
        call = _Call(commands)
        if self._size + len(call.data) > self._queued_bytes:
            await anyio.lowlevel.checkpoint()
            raise Overloaded("too much waits for Redis; try again")
        self._queue.append(call)
        self._size += len(call.data)
        self._wanted.set()
        try:
            with anyio.move_on_after(self._timeout):
                await call.done.wait()
        finally:
            if call in self._queue:
                self._queue.remove(call)
                self._size -= len(call.data)
        if call.error is not None or not call.done.is_set():
            raise call.error or self._away()
        return call.replies

    async def run(self) -> None:
        """Keep the connection up until cancelled."""
        delays = Delays()
        try:
            while True:
                try:
                    async with connect(self._target, self._address, self._timeout) as stream:
                        self._down = False
                        delays.reset()
                        await self._converse(stream)
                except LOST as error:
                    if not self._down:
                        _logger.warning("Redis at %s cannot be reached: %s", self._address, type(error).__name__)
                    self._down = True
                    self._fail(self._queue)
                self._fail(self._written)
                await anyio.sleep(delays.next())
        finally:
            self._down = True
            self._fail(self._queue)
            self._fail(self._written)

    async def _converse(self, stream: RedisStream) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write, stream, tasks.cancel_scope)
            tasks.start_soon(self._watch, tasks.cancel_scope)
            try:
                await self._read(stream)
            except LOST as error:
                _logger.warning("the connection to Redis at %s broke: %s", self._address, type(error).__name__)
            finally:
                tasks.cancel_scope.cancel()

    async def _read(self, stream: RedisStream) -> None:
        written = self._written
        while True:
            for reply in await stream.receive():
                call = written[0]
                call.replies.append(reply)
                if len(call.replies) == call.count:
                    written.popleft()
                    call.done.set()
            self._reads += 1

    async def _write(self, stream: RedisStream, scope: anyio.CancelScope) -> None:
        while True:
            if not self._queue:
                self._wanted = anyio.Event()
                await self._wanted.wait()
            calls, self._queue = self._queue, []
            self._size = 0
            self._written.extend(calls)
            try:
                await stream.send(b"".join([call.data for call in calls]))
            except LOST:
                scope.cancel()
                return

    async def _watch(self, scope: anyio.CancelScope) -> None:
        """End a connection on which something was asked, and nothing came for as long as a call may wait."""
        while True:
            reads, oldest = self._reads, self._written[0] if self._written else None
            await anyio.sleep(self._timeout)
            if oldest is not None and self._written and self._written[0] is oldest and self._reads == reads:
                _logger.warning("Redis at %s does not answer", self._address)
                scope.cancel()
                return

    def _fail(self, calls: list[_Call] | deque[_Call]) -> None:
        """Nobody waits for a connection that is gone. What was not written yet may wait for the next one."""
        for call in calls:
            call.error = self._away()
            call.done.set()
        calls.clear()
        self._size = sum(len(call.data) for call in self._queue)

    def _away(self) -> Unavailable:
        return Unavailable(f"Redis at {self._address} does not answer; try again")
