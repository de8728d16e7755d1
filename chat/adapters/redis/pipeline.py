"""Commands of many tasks to one node, on one connection: written together, answered in order.

Rule 1: the commands of one call are written in one piece, or not at all; a call that is cancelled before they were
written had no effect.
Rule 2: calls are carried out in the order in which they were made.
Rule 3: whoever waits has a deadline, and hears at once when the connection breaks; what was written then may have taken
effect.
Rule 4: while the node cannot be reached, calls fail at once.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import Any

import anyio
import anyio.lowlevel

from chat.adapters.redis.stream import LOST, RECONNECT, RedisStream, open_connection
from chat.adapters.redis.target import NodeAddress, Target
from chat.concurrency import AutoResetEvent, OneShot
from chat.errors import Overloaded, Unavailable

QUEUED_BYTES = 16 * 1024 * 1024
_logger = logging.getLogger(__name__)


class _PipelinedCall:
    """Commands on their way. `outcome` resolves with `replies` once there are `count` of them."""

    __slots__ = ("count", "data", "outcome", "replies")

    def __init__(self, commands: Sequence[bytes]) -> None:
        self.data = b"".join(commands)
        self.count = len(commands)
        self.replies: list[Any] = []
        self.outcome = OneShot[list[Any]]()


class Pipeline:
    """One node's connection; `keep_connected` keeps it up."""

    def __init__(self, target: Target, address: NodeAddress, *, queued_bytes: int = QUEUED_BYTES) -> None:
        self._target = target
        self._address = address
        self._queued_bytes = queued_bytes
        self._queue: list[_PipelinedCall] = []
        self._size = 0
        self._written: deque[_PipelinedCall] = deque()
        self._wanted = AutoResetEvent()
        self._down = False
        self._reads = 0

    async def execute_commands(self, commands: Sequence[bytes]) -> Sequence[Any]:
        """Carry out packed commands; their replies, among which may be `hiredis.ReplyError`s.

        Raises `Unavailable`, and `Overloaded` when too much waits.
        """
        if self._down:
            await anyio.lowlevel.checkpoint()
            raise self._unavailable()  # rule 4
        call = _PipelinedCall(commands)
        if self._size + len(call.data) > self._queued_bytes:
            await anyio.lowlevel.checkpoint()
            raise Overloaded("too much waits for Redis; try again")
        self._queue.append(call)
        self._size += len(call.data)
        self._wanted.set()
        try:
            with anyio.move_on_after(self._target.timeout_s):  # rule 3
                return await call.outcome.wait()
        finally:
            if call in self._queue:  # rule 1: not written yet
                self._queue.remove(call)
                self._size -= len(call.data)
        raise self._unavailable()

    async def keep_connected(self) -> None:
        """Keep the connection up until cancelled."""
        delays = RECONNECT.delays()
        try:
            while True:
                try:
                    async with open_connection(self._target, self._address) as stream:
                        self._down = False
                        delays.reset()
                        await self._use_connection(stream)
                except LOST as error:
                    if not self._down:
                        _logger.warning("Redis at %s cannot be reached: %s", self._address, type(error).__name__)
                    self._down = True
                    self._fail_calls(self._queue)
                self._fail_calls(self._written)
                await anyio.sleep(delays.next_delay())
        finally:
            self._down = True
            self._fail_calls(self._queue)
            self._fail_calls(self._written)

    async def _use_connection(self, stream: RedisStream) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write_commands, stream, tasks.cancel_scope)
            tasks.start_soon(self._watch_silence, tasks.cancel_scope)
            try:
                await self._read_replies(stream)
            except LOST as error:
                _logger.warning("the connection to Redis at %s broke: %s", self._address, type(error).__name__)
            finally:
                tasks.cancel_scope.cancel()

    async def _read_replies(self, stream: RedisStream) -> None:
        written = self._written
        while True:
            for reply in await stream.receive():
                call = written[0]  # rule 2: Redis answers in order
                call.replies.append(reply)
                if len(call.replies) == call.count:
                    written.popleft()
                    call.outcome.resolve(call.replies)
            self._reads += 1

    async def _write_commands(self, stream: RedisStream, scope: anyio.CancelScope) -> None:
        while True:
            while not self._queue:
                await self._wanted.wait()
            calls, self._queue = self._queue, []
            self._size = 0
            self._written.extend(calls)
            try:
                await stream.send(b"".join([call.data for call in calls]))
            except LOST:
                scope.cancel()
                return

    async def _watch_silence(self, scope: anyio.CancelScope) -> None:
        """End a connection on which something was asked, and nothing came for as long as a call may wait."""
        while True:
            reads, oldest = self._reads, self._written[0] if self._written else None
            await anyio.sleep(self._target.timeout_s)
            if oldest is not None and self._written and self._written[0] is oldest and self._reads == reads:
                _logger.warning("Redis at %s does not answer", self._address)
                scope.cancel()
                return

    def _fail_calls(self, calls: list[_PipelinedCall] | deque[_PipelinedCall]) -> None:
        """Nobody waits for a connection that is gone (rule 3). What is still in the queue may wait for the next one."""
        for call in calls:
            call.outcome.fail(self._unavailable())
        calls.clear()
        self._size = sum(len(call.data) for call in self._queue)

    def _unavailable(self) -> Unavailable:
        return Unavailable(f"Redis at {self._address} does not answer; try again")
