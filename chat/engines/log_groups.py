"""Consumer groups of the embedded log: who owns which partition, how far each is delivered and committed.

Rule 1: a partition has at most one owner in a group, and at most one batch of it is in hand. Rule 2: a partition is
handed over only when nothing of it is in hand: its owner committed, or left (then what it had comes again, to the next
owner). Rule 3: committed offsets only move forward.

All is synchronous and belongs to the event loop's thread; only reading old records awaits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import anyio
import anyio.lowlevel

from chat.concurrency import AutoResetEvent
from chat.engines.log_streams import Stream
from chat.ports.log import Batch, LogRecord

Read = Callable[[Stream, int], Awaitable[list[LogRecord]]]


class Share:
    """A group's progress in one partition. `position` is the next offset to deliver; `ahead` was read from the disk."""

    __slots__ = ("ahead", "committed", "group", "heir", "owner", "position", "stream")

    def __init__(self, group: Group, stream: Stream, committed: int) -> None:
        self.group = group
        self.stream = stream
        self.committed = committed
        self.position = committed
        self.ahead: list[LogRecord] = []
        self.owner: Member | None = None
        self.heir: Member | None = None

    @property
    def in_hand(self) -> bool:
        """Whether a batch is delivered and not committed."""
        return self.position > self.committed

    @property
    def is_ready(self) -> bool:
        """Whether a batch can be delivered now."""
        if self.in_hand:
            return False
        return bool(self.ahead) or self.stream.tail_first <= self.position < self.stream.end

    @property
    def is_behind(self) -> bool:
        """Whether a batch can be delivered, once it was read from the disk."""
        return not self.in_hand and not self.ahead and self.position < self.stream.tail_first

    def take(self, limit: int) -> list[LogRecord]:
        """Up to `limit` records, in hand from now on."""
        if self.ahead:
            taken = self.ahead[:limit]
            del self.ahead[:limit]
        else:
            taken = self.stream.recent(self.position, limit)
        if taken:
            self.position = taken[-1].offset + 1
        return taken

    def hand_over(self) -> None:
        """Give the partition to its heir; what was in hand comes again."""
        self.position = self.committed
        self.ahead = []
        self.owner = self.heir
        if self.owner is not None:
            self.owner.notify()

    def reset(self, offset: int) -> None:
        """Start again from `offset`. Only while there is no owner."""
        self.committed = self.position = offset
        self.ahead = []


class Group:
    """A consumer group. `on_commit` hears of every progress, so that it can be stored."""

    def __init__(self, name: str, on_commit: Callable[[Share], None]) -> None:
        self.name = name
        self.on_commit = on_commit
        self.shares: dict[int, Share] = {}
        self.members: list[Member] = []

    def add(self, stream: Stream, committed: int) -> Share:
        """Take part in a partition, from this offset on."""
        share = self.shares[stream.id] = Share(self, stream, committed)
        stream.shares.append(share)
        return share

    def join(self, member: Member) -> None:
        """A member comes; partitions are shared out anew."""
        for stream in sorted(member.streams, key=lambda stream: stream.id):  # the same order in every run
            if stream.id not in self.shares:
                # Stored at once: a group that is known holds back what would else be trimmed.
                self.on_commit(self.add(stream, stream.start))
        self.members.append(member)
        self._share_out()

    def leave(self, member: Member) -> None:
        """A member goes; what it had in hand comes again to others."""
        self.members.remove(member)
        for share in self.shares.values():
            if share.owner is member:
                share.heir = None
                share.hand_over()
        self._share_out()

    def owned_by(self, member: Member) -> list[Share]:
        """The partitions of a member."""
        return [share for share in self.shares.values() if share.owner is member]

    def _share_out(self) -> None:
        """In turn, in the order of joining: as even as can be, and the same whenever the members are the same."""
        turn = 0
        for stream_id in sorted(self.shares):
            share = self.shares[stream_id]
            takers = [member for member in self.members if share.stream in member.streams]
            share.heir = takers[turn % len(takers)] if takers else None
            turn += bool(takers)
            if share.owner is not share.heir and not (share.owner and share.in_hand):
                share.hand_over()


class Member:
    """Implements `chat.ports.log.Consumer`; one task polls. After leaving, it raises `anyio.ClosedResourceError`."""

    def __init__(self, group: Group, streams: Sequence[Stream], read: Read) -> None:
        self.group = group
        self.streams = frozenset(streams)
        self._read = read
        self._wake = AutoResetEvent()
        self._turn = 0
        self._open = True

    async def poll(self, max_records: int) -> Sequence[Batch]:
        """See `Consumer.poll`. Cancelled, nothing was delivered."""
        waited = False
        while True:
            self._check_open()
            shares = self.group.owned_by(self)
            if any(share.is_ready for share in shares):
                if waited:
                    return self._take(shares, max_records)
                await anyio.lowlevel.checkpoint()
            else:
                behind = next((share for share in shares if share.is_behind), None)
                await (self._wake.wait_next() if behind is None else self._fetch(behind))
            waited = True

    async def commit(self, *batches: Batch) -> None:
        """See `Consumer.commit`. Cancelled, it may have taken effect."""
        self._check_open()
        for batch in batches:
            self._commit(batch)
        await anyio.lowlevel.checkpoint()

    def _commit(self, batch: Batch) -> None:
        offset = batch.records[-1].offset + 1
        for share in self.group.owned_by(self):
            stream = share.stream
            if stream.partition == batch.partition and stream.topic == batch.topic and offset > share.committed:
                share.committed = min(offset, share.position)
                self.group.on_commit(share)
                self._release(share)

    async def lag(self) -> int:
        """See `Consumer.lag`."""
        await anyio.lowlevel.checkpoint()
        return sum(share.stream.end - share.committed for share in self.group.owned_by(self))

    def notify(self) -> None:
        """There may be something to deliver."""
        self._wake.set()

    def close(self) -> None:
        """Leave the group."""
        self._open = False
        self.group.leave(self)
        self.notify()

    def _release(self, share: Share) -> None:
        if share.in_hand:
            return
        if share.heir is not self:
            share.hand_over()
        elif share.stream.end > share.position:
            self.notify()

    def _take(self, shares: Sequence[Share], max_records: int) -> list[Batch]:
        # Begin with another partition each time, so that a busy one does not take every place.
        self._turn += 1
        batches = []
        for index in range(len(shares)):
            share = shares[(index + self._turn) % len(shares)]
            if share.in_hand or max_records <= 0:
                continue
            records = share.take(max_records)
            if records:
                max_records -= len(records)
                batches.append(Batch(share.stream.topic, share.stream.partition, records))
        return batches

    async def _fetch(self, share: Share) -> None:
        """Read a chunk from the disk, unless the partition has moved meanwhile."""
        position = share.position
        end = share.stream.end
        records = await self._read(share.stream, position)
        if share.owner is not self or share.position != position or share.in_hand:
            return
        if records:
            share.ahead = records
        else:  # trimmed: nothing is left of what was there
            share.reset(end)
            self.group.on_commit(share)

    def _check_open(self) -> None:
        if not self._open:
            raise anyio.ClosedResourceError
