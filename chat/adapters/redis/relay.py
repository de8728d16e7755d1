"""The relay on Redis Pub/Sub; sharded Pub/Sub (SPUBLISH, SSUBSCRIBE) when the server is a cluster, Redis 7 or newer.

A payload for a channel is one PUBLISH; all of a call, and of calls that come meanwhile, go to Redis with one write. A
payload with a `once` key is one EVAL, which takes the key and publishes in one step, or does neither. The parts:
`stream` (a connection, and why it is our own), `pipeline` (publishing), `subscriber` (subscribing at one
node), `listener` (subscribing anywhere), `topology` (who owns a channel).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from hashlib import blake2b
from typing import Any, ClassVar

import anyio
import hiredis
from anyio.abc import TaskGroup
from msgspec import Struct

from chat.adapters.redis.deliveries import DeliveryBuffer
from chat.adapters.redis.listener import RedisListener
from chat.adapters.redis.pipeline import Pipeline
from chat.adapters.redis.stream import RECONNECT, pack_command
from chat.adapters.redis.target import NodeAddress, Target
from chat.adapters.redis.topology import Topology
from chat.errors import Unavailable
from chat.ports.relay import ONCE_SECONDS, Publication

BUFFER_RECORDS = 20_000
BUFFER_BYTES = 16 * 1024 * 1024
_TRIES = 5
_PRIMARY_SECONDS = 1.0
_ELSEWHERE = ("MOVED", "CLUSTERDOWN", "LOADING")
_HALFWAY = ("ASK", "TRYAGAIN")
_ONCE = {
    name: (
        "if redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[3]) "
        f"then return redis.call('{name}', ARGV[1], ARGV[2]) end return -1"
    ).encode()
    for name in ("PUBLISH", "SPUBLISH")
}
_logger = logging.getLogger(__name__)
_ONCE_MS = b"%d" % int(ONCE_SECONDS * 1000)


class RedisRelayStatistics(Struct, frozen=True):
    """Listeners and channels that are open, publications that were taken, deliveries that overflowed a buffer, and how
    often a subscribing connection was lost or could not be made."""

    totals: ClassVar = frozenset({"interruptions", "lost", "published"})
    listeners: int
    channels: int
    published: int
    lost: int
    interruptions: int


class RedisRelay:
    """Implements `chat.ports.relay.Relay`; made by `RedisRelay.open`.

    Raises `Unavailable` when Redis does not answer within `Target.timeout_s`; what was published then may have
    arrived, in part. In a cluster, the order of deliveries holds within a channel, and a `once` key counts within its
    channel; and while a slot is being moved, keys do not count, and what has one may come after the others of its call.

    A listener buffers `buffer_records` deliveries and `buffer_bytes`. A connection that is silent for `pulse_s` is
    asked with a PING, and given up after as long again.
    """

    def __init__(
        self,
        target: Target,
        topology: Topology,
        tasks: TaskGroup,
        *,
        buffer_records: int,
        buffer_bytes: int,
        pulse_s: float,
    ) -> None:
        self._target = target
        self._topology = topology
        self._tasks = tasks
        self._buffer_records = buffer_records
        self._buffer_bytes = buffer_bytes
        self._pulse = pulse_s
        self._pipelines: dict[NodeAddress, tuple[Pipeline, anyio.CancelScope]] = {}
        self._listeners: dict[RedisListener, DeliveryBuffer] = {}
        self._published = 0
        self._lost = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        target: Target,
        *,
        buffer_records: int = BUFFER_RECORDS,
        buffer_bytes: int = BUFFER_BYTES,
        pulse_s: float = 5.0,
    ) -> AsyncIterator[RedisRelay]:
        """A relay whose connections are kept up until the context is left. Raises `Unavailable` when Redis cannot be
        reached now."""
        topology = Topology(target)
        await topology.refresh_owners()
        async with anyio.create_task_group() as tasks:
            relay = cls(
                target,
                topology,
                tasks,
                buffer_records=buffer_records,
                buffer_bytes=buffer_bytes,
                pulse_s=pulse_s,
            )
            if target.sentinels is not None:
                tasks.start_soon(relay._follow_primary)
            yield relay
            tasks.cancel_scope.cancel()

    async def publish(self, publications: Sequence[Publication]) -> None:
        """Without any publication, it asks Redis whether it is there."""
        if not publications:
            for address in self._topology.list_nodes():
                await self._pipeline_to(address).execute_commands([pack_command("PING")])
        elif self._topology.is_cluster:
            await self._publish_sharded(publications)
        else:
            pipeline = self._pipeline_to(self._topology.primary)
            _raise_refusal(await pipeline.execute_commands(self._pack_commands(publications)))
        self._published += len(publications)

    def open_listener(self) -> AbstractAsyncContextManager[RedisListener]:
        return self._run_listener()

    def statistics(self) -> RedisRelayStatistics:
        """What there is now, and totals since the start."""
        return RedisRelayStatistics(
            listeners=len(self._listeners),
            channels=sum(listener.channels for listener in self._listeners),
            published=self._published,
            lost=self._lost + sum(buffer.lost for buffer in self._listeners.values()),
            interruptions=sum(listener.interruptions for listener in self._listeners),
        )

    @asynccontextmanager
    async def _run_listener(self) -> AsyncIterator[RedisListener]:
        buffer = DeliveryBuffer(self._buffer_records, self._buffer_bytes)
        async with anyio.create_task_group() as tasks:
            listener = RedisListener(self._target, self._topology, buffer, tasks, pulse_s=self._pulse)
            self._listeners[listener] = buffer
            if self._topology.moves:
                tasks.start_soon(listener.follow_topology)
            try:
                yield listener
            finally:
                listener.close()
                self._lost += self._listeners.pop(listener).lost
                tasks.cancel_scope.cancel()

    def _pipeline_to(self, address: NodeAddress) -> Pipeline:
        if address not in self._pipelines:
            opened = Pipeline(self._target, address), anyio.CancelScope()
            self._pipelines[address] = opened
            self._tasks.start_soon(_run_pipeline, *opened)
        return self._pipelines[address][0]

    def _pack_commands(self, publications: Iterable[Publication], *, once: bool = True) -> list[bytes]:
        cluster, prefix = self._topology.is_cluster, self._target.prefix
        name = "SPUBLISH" if cluster else "PUBLISH"
        commands = []
        for plain, payload, key in publications:
            channel = (prefix + plain).encode()
            if key is None or not once:
                commands.append(pack_command(name, channel, payload))
            else:
                taken = self._once_key(channel, key)
                commands.append(pack_command("EVAL", _ONCE[name], 1, taken, channel, payload, _ONCE_MS))
        return commands

    def _once_key(self, channel: bytes, once: str) -> bytes:
        # The digest keeps a key that lives for 300 s short; in a cluster the braces put it where the channel is.
        digest = blake2b(b"%b\0%b" % (channel, once.encode()), digest_size=16).digest()
        tag = b"{%b}" % channel if self._topology.is_cluster else b""
        return b"%bonce:%b%b" % (self._target.prefix.encode(), tag, digest)

    async def _publish_sharded(self, publications: Sequence[Publication]) -> None:
        """To the node of each channel; what a node refuses because the channel moved goes to the new one, in order."""
        left = list(publications)
        delays = RECONNECT.delays()
        for _ in range(_TRIES):
            try:
                left = await self._try_nodes(left)
            except Unavailable:
                await (
                    self._refresh_topology()
                )  # a node that died has a successor by the time that the caller tries again
                raise
            if not left:
                return
            await anyio.sleep(delays.next_delay())
            await self._refresh_topology()
        raise Unavailable("some channels have no node in the Redis cluster now; try again")

    async def _follow_primary(self) -> None:
        """Ask the sentinels every second, until cancelled: after a failover, the old primary may still be there, with
        connections that notice nothing."""
        known = self._topology.primary
        while True:
            await anyio.sleep(_PRIMARY_SECONDS)
            try:
                await self._refresh_topology()
            except Unavailable:
                continue  # the sentinels are away: the primary that is known stays
            if known != self._topology.primary:
                known = self._topology.primary
                _logger.warning("Redis has another primary, %s", known)
                for listener in self._listeners:
                    listener.notice_trouble()

    async def _refresh_topology(self) -> None:
        await self._topology.refresh_owners()
        nodes = self._topology.list_nodes()
        for address in [address for address in self._pipelines if address not in nodes]:
            _, scope = self._pipelines.pop(address)
            scope.cancel()

    async def _try_nodes(self, publications: Sequence[Publication]) -> list[Publication]:
        """Publish, node by node; returns what has to be tried again, in order."""
        parts: dict[NodeAddress | None, list[Publication]] = {}
        for publication in publications:
            parts.setdefault(self._topology.address_of(publication.channel), []).append(publication)
        left = parts.pop(None, [])
        for address, part in parts.items():
            if address is not None:
                left += await self._try_node(self._pipeline_to(address), part)
        return left

    async def _try_node(self, pipeline: Pipeline, part: Sequence[Publication]) -> list[Publication]:
        replies = await pipeline.execute_commands(self._pack_commands(part))
        pairs = list(zip(part, replies, strict=True))
        halfway = [each for each, reply in pairs if _is_error(reply, _HALFWAY)]
        if halfway:
            # The slot is being moved: its channels are still at this node, and its `once` keys may be at the next one.
            # So publish without looking at the keys: rather twice than never.
            _raise_refusal(await pipeline.execute_commands(self._pack_commands(halfway, once=False)))
        _raise_refusal(reply for reply in replies if not _is_error(reply, _ELSEWHERE + _HALFWAY))
        return [each for each, reply in pairs if _is_error(reply, _ELSEWHERE)]


async def _run_pipeline(pipeline: Pipeline, scope: anyio.CancelScope) -> None:
    with scope:
        await pipeline.keep_connected()


def _is_error(reply: Any, kinds: tuple[str, ...]) -> bool:
    return isinstance(reply, hiredis.ReplyError) and str(reply).startswith(kinds)


def _raise_refusal(replies: Iterable[Any]) -> None:
    """Redis answers with an error when it is loading, a replica, out of memory, or does not let us."""
    for reply in replies:
        if isinstance(reply, hiredis.ReplyError):
            raise Unavailable(f"Redis does not publish: {str(reply).partition(' ')[0]}")
