"""Which node of Redis a channel belongs to: the one there is, the one that the sentinels call the primary, or in a
cluster the owner of the channel's slot."""

from __future__ import annotations

from typing import Any

import anyio
import hiredis
from redis.crc import key_slot

from chat.adapters.redis.stream import LOST, open_connection, open_sentinel
from chat.adapters.redis.target import NodeAddress, SentinelGroup, Target
from chat.errors import Unavailable

SLOTS = 16384


class Topology:
    """Nodes and their slots. `is_cluster` tells whether channels are sharded: SSUBSCRIBE and SPUBLISH. `moves` tells
    whether channels may have to go to another node: in a cluster, and where sentinels choose the primary."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._primary = target.address  # of sentinels: only after the first `refresh_owners`
        self._owners: list[NodeAddress | None] = []
        self._refreshing = anyio.Lock()
        self._version = 0

    @property
    def is_cluster(self) -> bool:
        """Known after `refresh_owners`."""
        return bool(self._owners)

    @property
    def moves(self) -> bool:
        """Known after `refresh_owners`."""
        return self.is_cluster or self._target.sentinels is not None

    @property
    def primary(self) -> NodeAddress:
        """The node, unless there is a cluster."""
        return self._primary

    def slot_of(self, channel: str) -> int:
        """The slot of a channel; always 0 without a cluster."""
        return int(key_slot((self._target.prefix + channel).encode())) if self._owners else 0

    def address_of(self, channel: str) -> NodeAddress | None:
        """The node to subscribe and publish a channel at; None while nobody owns its slot."""
        return self._owners[self.slot_of(channel)] if self._owners else self._primary

    def list_nodes(self) -> set[NodeAddress]:
        """All nodes that own slots."""
        return {owner for owner in self._owners if owner is not None} or {self._primary}

    async def refresh_owners(self) -> None:
        """Ask the sentinels for the primary, or the nodes, the known ones first, who owns what.

        Raises `Unavailable` when none answers.
        """
        version = self._version
        async with self._refreshing:
            if self._version != version:
                return  # another task asked while this one waited for the lock
            group = self._target.sentinels
            found = await (self._ask_nodes() if group is None else self._ask_sentinels(group))
            if found:
                self._version += 1
                return
        raise Unavailable(f"Redis at {self._target.name} cannot be reached; is ROOKERY_REDIS_URL right?")

    async def _ask_nodes(self) -> bool:
        for address in dict.fromkeys([*self.list_nodes(), self._target.address]):
            try:
                async with open_connection(self._target, address) as stream:
                    with anyio.fail_after(self._target.timeout_s):
                        (reply,) = await stream.ask_commands([("CLUSTER", "SLOTS")])
            except LOST:
                continue
            if isinstance(reply, hiredis.ReplyError):
                if "cluster support disabled" not in str(reply):
                    continue
                reply = []
            self._owners = self._read_slots(reply, address) if reply else []
            return True
        return False

    async def _ask_sentinels(self, group: SentinelGroup) -> bool:
        """The first sentinel that answers is right, or will be: sentinels tell each other, and we ask again."""
        for address in group.addresses:
            try:
                async with open_sentinel(self._target, address) as stream:
                    with anyio.fail_after(self._target.timeout_s):
                        (reply,) = await stream.ask_commands([("SENTINEL", "GET-MASTER-ADDR-BY-NAME", group.name)])
            except LOST:
                continue
            if isinstance(reply, list):
                self._primary = NodeAddress(reply[0].decode(), int(reply[1]))
                return True
        return False

    def _read_slots(self, reply: Any, asked: NodeAddress) -> list[NodeAddress | None]:
        owners: list[NodeAddress | None] = [None] * SLOTS
        for first, last, (host, port, *_), *_ in reply:
            # A node that does not know its own name gives none, or `?`: it is the one that was asked.
            name = host.decode() if host not in (None, b"", b"?") else asked.host
            owners[first : last + 1] = [NodeAddress(name, port)] * (last + 1 - first)
        return owners
