"""Pub/Sub from one node, over one connection at a time: what is subscribed there, and what comes of it.

Rule 1: a channel is delivered from the confirmation of its last subscription on, and not before: Redis confirms in the
order of the stream, so nothing that was published later is missing. Rule 2: a connection that is lost may have lost
deliveries. When the next one has subscribed a channel again, and not before, its mark goes into the inbox: whoever
reads history then misses nothing. Rule 3: the reader never waits for whoever receives, so Redis has no reason to cut
the connection for a buffer that grows; if it does, rule 2 holds. Rule 4: a connection on which nothing comes, not even
the answer to a PING, is lost. Rule 5: what changes together leaves together: one write, and as few commands as can be.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator
from typing import Any

import anyio
import hiredis

from chat.adapters.redis.inbox import Inbox
from chat.adapters.redis.stream import LOST, Delays, RedisStream, connect, pack
from chat.adapters.redis.target import Address, Target

CHANNELS_PER_COMMAND = 1000
_MESSAGES = (b"message", b"smessage")
_SUBSCRIBED = (b"subscribe", b"ssubscribe")
_UNSUBSCRIBED = (b"unsubscribe", b"sunsubscribe")
_PING = pack("PING")
_logger = logging.getLogger(__name__)


class Subscription:
    """A channel that a listener wants. `kept` once a call for it has returned; `lost` until its mark was given;
    `waiting` are called when it is confirmed."""

    __slots__ = ("confirmed", "kept", "lost", "waiting")

    def __init__(self) -> None:
        self.confirmed = False
        self.kept = False
        self.lost = False
        self.waiting: list[Callable[[], None]] = []


class _Command:
    """A SUBSCRIBE or UNSUBSCRIBE on its way, and the channels that are not answered yet."""

    __slots__ = ("left", "subscribing")

    def __init__(self, subscribing: bool, channels: Collection[bytes]) -> None:
        self.subscribing = subscribing
        self.left = set(channels)


class Feed:
    """One node's channels; `run` keeps the connection up. With `slot`, channels are sharded, and a command may name
    only channels of one slot; `troubled` is called when channels may have moved to another node."""

    def __init__(
        self,
        target: Target,
        address: Address,
        inbox: Inbox,
        *,
        timeout_s: float,
        pulse_s: float,
        slot: Callable[[str], int] | None,
        troubled: Callable[[], None],
    ) -> None:
        self.address = address
        self.channels: dict[str, Subscription] = {}
        self.interruptions = 0
        self._target = target
        self._inbox = inbox
        self._timeout = timeout_s
        self._pulse = pulse_s
        self._slot = slot
        self._troubled = troubled
        self._names: dict[bytes, str] = {}  # confirmed: what is delivered
        self._todo: dict[str, bool] = {}  # to subscribe, or to unsubscribe, with the next write
        self._sent: deque[_Command] = deque()
        self._pending: Counter[bytes] = Counter()  # subscriptions that were sent and not confirmed
        self._wanted = anyio.Event()
        self._refusals: set[str] = set()
        self._ping = False
        self._reads = 0

    def _raw(self, channel: str) -> bytes:
        """The channel's name at Redis."""
        return (self._target.prefix + channel).encode()

    def _plain(self, raw: bytes) -> str:
        return raw.decode()[len(self._target.prefix) :]

    def add(self, channel: str, subscription: Subscription) -> None:
        """Subscribe the channel with the next write."""
        self.channels[channel] = subscription
        self._todo[channel] = True
        self._wanted.set()

    def remove(self, channel: str) -> None:
        """Deliver the channel no more, from now on; unsubscribe it with the next write."""
        del self.channels[channel]
        self._names.pop(self._raw(channel), None)
        self._todo[channel] = False
        self._wanted.set()

    def retry(self) -> None:
        """Subscribe again what the node refused, as far as it is still wanted here."""
        self._todo.update((channel, True) for channel in self._refusals if channel in self.channels)
        self._refusals.clear()
        self._wanted.set()

    async def run(self) -> None:
        """Keep the connection up, and everything subscribed, until cancelled."""
        delays = Delays()
        while True:
            try:
                async with connect(self._target, self.address, self._timeout) as stream:
                    delays.reset()
                    await self._converse(stream)
            except LOST as error:
                _logger.warning("the relay cannot reach Redis at %s: %s", self.address, type(error).__name__)
            self._interrupt()
            self._troubled()
            await anyio.sleep(delays.next())

    async def _converse(self, stream: RedisStream) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write, stream, tasks.cancel_scope)
            tasks.start_soon(self._watch, tasks.cancel_scope)
            try:
                await self._read(stream)
            except LOST as error:
                _logger.warning("the relay lost Redis at %s: %s", self.address, _reason(error))
            finally:
                tasks.cancel_scope.cancel()

    def _interrupt(self) -> None:
        """The connection is gone: nothing is subscribed, and everything has to be, again."""
        self.interruptions += 1
        self._names.clear()
        self._sent.clear()
        self._pending.clear()
        self._refusals.clear()
        self._ping = False
        self._todo = dict.fromkeys(self.channels, True)
        for subscription in self.channels.values():
            subscription.lost |= subscription.confirmed
            subscription.confirmed = False
        self._wanted.set()

    # Reading.

    async def _read(self, stream: RedisStream) -> None:
        names, put = self._names, self._inbox.put
        while True:
            replies = await stream.receive()
            self._reads += 1
            for reply in replies:
                if type(reply) is list and reply[0] in _MESSAGES:
                    channel = names.get(reply[1])
                    if channel is not None:
                        put(channel, reply[2])
                else:
                    self._answered(reply)
            self._inbox.wake()

    def _answered(self, reply: Any) -> None:
        if isinstance(reply, hiredis.ReplyError):
            self._refused(reply)
        elif isinstance(reply, list) and reply[0] in _SUBSCRIBED:
            self._subscribed(reply[1])
        elif isinstance(reply, list) and reply[0] in _UNSUBSCRIBED and not self._advance(False, reply[1]):
            self._taken(self._plain(reply[1]))

    def _subscribed(self, raw: bytes) -> None:
        self._advance(True, raw)
        self._settled(raw)
        channel = self._plain(raw)
        subscription = self.channels.get(channel)
        if subscription is None or raw in self._pending or channel in self._todo:
            return  # another command for it is on its way, and its answer counts
        subscription.confirmed = True
        self._names[raw] = channel
        if subscription.lost:
            subscription.lost = False
            self._inbox.mark(channel)
        waiting, subscription.waiting = subscription.waiting, []
        for call in waiting:
            call()

    def _taken(self, channel: str) -> None:
        """The node has unsubscribed us by itself: the slot is another's now."""
        subscription = self.channels.get(channel)
        if subscription is not None and subscription.confirmed:
            self._names.pop(self._raw(channel), None)
            subscription.confirmed, subscription.lost = False, True
            self._refusals.add(channel)
            self._troubled()

    def _refused(self, error: hiredis.ReplyError) -> None:
        """The oldest command failed as a whole. In a cluster, its channels belong elsewhere, or to nobody for now."""
        if self._slot is None or not self._sent:
            raise error
        command = self._sent.popleft()
        if command.subscribing:
            for raw in command.left:
                self._settled(raw)
                self._refusals.add(self._plain(raw))
            self._troubled()

    def _advance(self, subscribing: bool, raw: bytes) -> bool:
        """An answer came for this channel; whether it belongs to the oldest command."""
        command = self._sent[0] if self._sent else None
        if command is None or command.subscribing is not subscribing or raw not in command.left:
            return False
        command.left.discard(raw)
        if not command.left:
            self._sent.popleft()
        return True

    def _settled(self, raw: bytes) -> None:
        self._pending[raw] -= 1
        if self._pending[raw] <= 0:
            del self._pending[raw]

    # Writing.

    async def _write(self, stream: RedisStream, scope: anyio.CancelScope) -> None:
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            data = b"".join(self._commands())
            try:
                if data:
                    await stream.send(data)
            except LOST:
                scope.cancel()
                return

    def _commands(self) -> Iterator[bytes]:
        todo, self._todo = self._todo, {}
        if self._ping:
            self._ping = False
            yield _PING
        prefix = "S" if self._slot is not None else ""
        for subscribing, name in ((False, f"{prefix}UNSUBSCRIBE"), (True, f"{prefix}SUBSCRIBE")):
            for channels in self._groups([channel for channel, wanted in todo.items() if wanted is subscribing]):
                command = _Command(subscribing, [self._raw(channel) for channel in channels])
                self._sent.append(command)
                if subscribing:
                    self._pending.update(command.left)
                yield pack(name, *command.left)

    def _groups(self, channels: list[str]) -> Iterator[list[str]]:
        """Channels that one command may name."""
        groups: dict[int, list[str]] = {}
        for channel in channels:
            groups.setdefault(self._slot(channel) if self._slot is not None else 0, []).append(channel)
        for group in groups.values():
            for start in range(0, len(group), CHANNELS_PER_COMMAND):
                yield group[start : start + CHANNELS_PER_COMMAND]

    async def _watch(self, scope: anyio.CancelScope) -> None:
        silent = 0
        while True:
            reads = self._reads
            await anyio.sleep(self._pulse)
            silent = silent + 1 if self._reads == reads else 0
            if silent == 1:
                self._ping = True
                self._wanted.set()
            elif silent > 1:
                _logger.warning("Redis at %s is silent; the relay connects again", self.address)
                scope.cancel()
                return


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, hiredis.ReplyError) else type(error).__name__
