"""Pub/Sub from one node, over one connection at a time: which channels are subscribed, and what is delivered.

Rule 1: a channel is delivered from the confirmation of its last subscription on, and not before. Redis confirms in the
order of the stream, so nothing that was published later is missing.
Rule 2: a connection that is lost may have lost deliveries. When the next one has subscribed a channel again, and not
before, its mark goes into the buffer: whoever reads history then misses nothing.
Rule 3: the reader never waits for whoever receives, so Redis has no reason to cut the connection for a buffer that
grows; if it does, rule 2 holds.
Rule 4: a connection on which nothing comes, not even the answer to a PING, is lost.
Rule 5: what changes together leaves together: one write, and as few commands as can be.

A channel that is wanted goes through these states, and back to the first when the connection is lost:

    `_todo` (for the next write) → `_pending` (sent) → `_names` (confirmed: delivered)
                                                     → `_refusals` (the node refused it: its slot is elsewhere)
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator
from typing import Any

import anyio
import hiredis

from chat.adapters.redis.deliveries import DeliveryBuffer
from chat.adapters.redis.stream import LOST, RECONNECT, RedisStream, open_connection, pack_command
from chat.adapters.redis.target import NodeAddress, Target
from chat.concurrency import AutoResetEvent

CHANNELS_PER_COMMAND = 1000
_MESSAGES = (b"message", b"smessage")
_SUBSCRIBED = (b"subscribe", b"ssubscribe")
_UNSUBSCRIBED = (b"unsubscribe", b"sunsubscribe")
_PING = pack_command("PING")
_logger = logging.getLogger(__name__)


class Subscription:
    """A channel that a listener wants.

    `confirmed`: it is delivered now. `kept`: a call for it has returned, so it stays when another call fails. `lost`:
    it was confirmed before, and its mark is still owed (rule 2). `waiting` are called when it is confirmed.
    """

    __slots__ = ("confirmed", "kept", "lost", "waiting")

    def __init__(self) -> None:
        self.confirmed = False
        self.kept = False
        self.lost = False
        self.waiting: list[Callable[[], None]] = []


class _SentCommand:
    """A SUBSCRIBE or UNSUBSCRIBE on its way, and the channels that are not answered yet."""

    __slots__ = ("left", "subscribing")

    def __init__(self, subscribing: bool, channels: Collection[bytes]) -> None:
        self.subscribing = subscribing
        self.left = set(channels)


class NodeSubscriber:
    """One node's channels; `keep_connected` keeps the connection up.

    With `slot_of`, channels are sharded, and a command may name only channels of one slot. `on_trouble` is called when
    channels may have moved to another node.
    """

    def __init__(
        self,
        target: Target,
        address: NodeAddress,
        buffer: DeliveryBuffer,
        *,
        pulse_s: float,
        slot_of: Callable[[str], int] | None,
        on_trouble: Callable[[], None],
    ) -> None:
        self.address = address
        self.channels: dict[str, Subscription] = {}
        self.interruptions = 0
        self._target = target
        self._buffer = buffer
        self._pulse = pulse_s
        self._slot_of = slot_of
        self._on_trouble = on_trouble
        self._names: dict[bytes, str] = {}  # confirmed, by the name at Redis: these are delivered
        self._todo: dict[str, bool] = {}  # to subscribe (True) or to unsubscribe, with the next write
        self._sent: deque[_SentCommand] = deque()
        self._pending: Counter[bytes] = Counter()  # subscriptions that were sent and not confirmed
        self._wanted = AutoResetEvent()
        self._refusals: set[str] = set()
        self._ping = False
        self._reads = 0

    def _to_redis_name(self, channel: str) -> bytes:
        """The channel's name at Redis."""
        return (self._target.prefix + channel).encode()

    def _from_redis_name(self, raw: bytes) -> str:
        return raw.decode()[len(self._target.prefix) :]

    def add_channel(self, channel: str, subscription: Subscription) -> None:
        """Subscribe the channel with the next write."""
        self.channels[channel] = subscription
        self._todo[channel] = True
        self._wanted.set()

    def remove_channel(self, channel: str) -> None:
        """Stop delivering the channel now; unsubscribe it with the next write."""
        del self.channels[channel]
        self._names.pop(self._to_redis_name(channel), None)
        self._todo[channel] = False
        self._wanted.set()

    def retry_refused(self) -> None:
        """Subscribe again what the node refused, as far as it is still wanted here."""
        self._todo.update((channel, True) for channel in self._refusals if channel in self.channels)
        self._refusals.clear()
        self._wanted.set()

    async def keep_connected(self) -> None:
        """Keep the connection up, and everything subscribed, until cancelled."""
        delays = RECONNECT.delays()
        while True:
            try:
                async with open_connection(self._target, self.address) as stream:
                    delays.reset()
                    await self._use_connection(stream)
            except LOST as error:
                _logger.warning("the relay cannot reach Redis at %s: %s", self.address, type(error).__name__)
            self._mark_interrupted()
            self._on_trouble()
            await anyio.sleep(delays.next_delay())

    async def _use_connection(self, stream: RedisStream) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write_commands, stream, tasks.cancel_scope)
            tasks.start_soon(self._watch_silence, tasks.cancel_scope)
            try:
                await self._read_replies(stream)
            except LOST as error:
                _logger.warning("the relay lost Redis at %s: %s", self.address, _describe_error(error))
            finally:
                tasks.cancel_scope.cancel()

    def _mark_interrupted(self) -> None:
        """The connection is gone: nothing is subscribed, and everything has to be, again."""
        self.interruptions += 1
        self._names.clear()
        self._sent.clear()
        self._pending.clear()
        self._refusals.clear()
        self._ping = False
        # What was to be unsubscribed is gone with the connection; so only subscriptions are left to do.
        self._todo = dict.fromkeys(self.channels, True)
        for subscription in self.channels.values():
            subscription.lost |= subscription.confirmed
            subscription.confirmed = False
        self._wanted.set()

    # Reading.

    async def _read_replies(self, stream: RedisStream) -> None:
        names, put = self._names, self._buffer.put_delivery
        while True:
            replies = await stream.receive()
            self._reads += 1
            for reply in replies:
                if type(reply) is list and reply[0] in _MESSAGES:
                    channel = names.get(reply[1])
                    if channel is not None:  # rule 1; else it was unsubscribed a moment ago, or is not confirmed yet
                        put(channel, reply[2])
                else:
                    self._handle_reply(reply)
            self._buffer.wake_receiver()

    def _handle_reply(self, reply: Any) -> None:
        if isinstance(reply, hiredis.ReplyError):
            self._handle_refusal(reply)
        elif isinstance(reply, list) and reply[0] in _SUBSCRIBED:
            self._handle_subscribed(reply[1])
        elif isinstance(reply, list) and reply[0] in _UNSUBSCRIBED and not self._match_oldest_command(False, reply[1]):
            # Nobody asked for it: the node gives the channel's slot away.
            self._handle_taken_slot(self._from_redis_name(reply[1]))

    def _handle_subscribed(self, raw: bytes) -> None:
        self._match_oldest_command(True, raw)
        self._count_answer(raw)
        channel = self._from_redis_name(raw)
        subscription = self.channels.get(channel)
        if subscription is None or raw in self._pending or channel in self._todo:
            return  # another command for it is on its way, and the answer to that one counts (rule 1)
        subscription.confirmed = True
        self._names[raw] = channel
        if subscription.lost:  # rule 2
            subscription.lost = False
            self._buffer.mark_channel(channel)
        waiting, subscription.waiting = subscription.waiting, []
        for call in waiting:
            call()

    def _handle_taken_slot(self, channel: str) -> None:
        """The node has unsubscribed us by itself: the slot belongs to another one now."""
        subscription = self.channels.get(channel)
        if subscription is not None and subscription.confirmed:
            self._names.pop(self._to_redis_name(channel), None)
            subscription.confirmed, subscription.lost = False, True
            self._refusals.add(channel)
            self._on_trouble()

    def _handle_refusal(self, error: hiredis.ReplyError) -> None:
        """The oldest command failed as a whole: Redis answers in order, and names no channel in an error.

        In a cluster, its channels belong elsewhere, or to nobody for now. On a single node, it ends the connection.
        """
        if self._slot_of is None or not self._sent:
            raise error
        command = self._sent.popleft()
        if command.subscribing:
            for raw in command.left:
                self._count_answer(raw)
                self._refusals.add(self._from_redis_name(raw))
            self._on_trouble()

    def _match_oldest_command(self, subscribing: bool, raw: bytes) -> bool:
        """An answer came for this channel; whether it belongs to the oldest command."""
        command = self._sent[0] if self._sent else None
        if command is None or command.subscribing is not subscribing or raw not in command.left:
            return False
        command.left.discard(raw)
        if not command.left:
            self._sent.popleft()
        return True

    def _count_answer(self, raw: bytes) -> None:
        self._pending[raw] -= 1
        if self._pending[raw] <= 0:
            del self._pending[raw]

    # Writing.

    async def _write_commands(self, stream: RedisStream, scope: anyio.CancelScope) -> None:
        while True:
            await self._wanted.wait()
            data = b"".join(self._take_commands())
            try:
                if data:
                    await stream.send(data)
            except LOST:
                scope.cancel()
                return

    def _take_commands(self) -> Iterator[bytes]:
        todo, self._todo = self._todo, {}
        if self._ping:
            self._ping = False
            yield _PING
        prefix = "S" if self._slot_of is not None else ""
        for subscribing, name in ((False, f"{prefix}UNSUBSCRIBE"), (True, f"{prefix}SUBSCRIBE")):
            wanted = [channel for channel, subscribe in todo.items() if subscribe is subscribing]
            for channels in self._group_channels(wanted):
                command = _SentCommand(subscribing, [self._to_redis_name(channel) for channel in channels])
                self._sent.append(command)
                if subscribing:
                    self._pending.update(command.left)
                yield pack_command(name, *command.left)

    def _group_channels(self, channels: list[str]) -> Iterator[list[str]]:
        """Channels that one command may name."""
        groups: dict[int, list[str]] = {}
        for channel in channels:
            groups.setdefault(self._slot_of(channel) if self._slot_of is not None else 0, []).append(channel)
        for group in groups.values():
            for start in range(0, len(group), CHANNELS_PER_COMMAND):
                yield group[start : start + CHANNELS_PER_COMMAND]

    async def _watch_silence(self, scope: anyio.CancelScope) -> None:
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


def _describe_error(error: BaseException) -> str:
    return str(error) if isinstance(error, hiredis.ReplyError) else type(error).__name__
