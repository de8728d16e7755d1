"""Consumer groups of the embedded log: who owns which partition, how far each is delivered and committed.

Rule 1: a partition has at most one owner in a group, and at most one batch of it is in hand: delivered, and neither
  released nor committed.
Rule 2: a partition is handed over only when all that was delivered is committed, or when its owner left (then what is
  not committed comes again, to the next owner). Until then, a partition that has another owner next delivers nothing.
Rule 3: committed offsets only move forward.

All is synchronous and belongs to the event loop's thread; only reading old records awaits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import anyio
import anyio.lowlevel

from chat.concurrency import AutoResetEvent
from chat.engines.log_streams import LogStream
from chat.ports.log import Batch, LogRecord

ReadChunk = Callable[[LogStream, int], Awaitable[list[LogRecord]]]


class Assignment:
    """A partition in a group: its owner, and how far it is delivered and committed.

    `position` is the next offset to deliver; between `released` and it is the batch in hand, and what is between
    `committed` and `released` is handled, but for its last step. `ahead` was read from the disk and not delivered yet.
    `skipped`: from where to where nothing is left to deliver, while what is before that is not committed.
    `next_owner` is the choice of the last rebalance; `owner` differs from it only while something is not committed
    (rule 2).
    """

    __slots__ = ("ahead", "committed", "group", "next_owner", "owner", "position", "released", "skipped", "stream")

    def __init__(self, group: Group, stream: LogStream, committed: int) -> None:
        self.group = group
        self.stream = stream
        self.committed = committed
        self.released = committed
        self.position = committed
        self.ahead: list[LogRecord] = []
        self.skipped: tuple[int, int] | None = None
        self.owner: GroupMember | None = None
        self.next_owner: GroupMember | None = None

    @property
    def in_hand(self) -> bool:
        """Whether a batch is delivered, and neither released nor committed."""
        return self.position > self.released

    @property
    def is_uncommitted(self) -> bool:
        """Whether something is delivered and not committed."""
        return self.position > self.committed

    @property
    def is_free(self) -> bool:
        """Whether another batch may be delivered (rules 1 and 2)."""
        return not self.in_hand and self.next_owner is self.owner

    @property
    def is_ready(self) -> bool:
        """Whether a batch can be delivered now."""
        if not self.is_free:
            return False
        return bool(self.ahead) or self.stream.tail_first <= self.position < self.stream.end

    @property
    def is_behind(self) -> bool:
        """Whether a batch can be delivered, once it was read from the disk."""
        return self.is_free and not self.ahead and self.position < self.stream.tail_first

    def take_records(self, limit: int) -> list[LogRecord]:
        """Up to `limit` records, in hand from now on."""
        if self.ahead:
            taken = self.ahead[:limit]
            del self.ahead[:limit]
        else:
            taken = self.stream.recent_records(self.position, limit)
        if taken:
            self.position = taken[-1].offset + 1
        return taken

    def release_before(self, offset: int) -> None:
        """What is before `offset` lets the next batch be delivered."""
        self.released = max(self.released, min(offset, self.position))

    def commit_before(self, offset: int) -> None:
        """What was delivered before `offset` is done with; only forward (rule 3)."""
        self.committed = max(self.committed, min(offset, self.position))
        if self.skipped is not None and self.committed >= self.skipped[0]:
            self.committed, self.skipped = max(self.committed, self.skipped[1]), None
        self.release_before(offset)

    def skip_before(self, offset: int) -> None:
        """Nothing is left from `position` to there: committed at once, unless something from before waits for its last
        step, and then together with that (rule 3)."""
        if self.is_uncommitted:
            self.skipped = (self.skipped[0] if self.skipped is not None else self.position, offset)
            self.position = self.released = offset
        else:
            self.start_again_at(offset)

    def hand_over(self) -> None:
        """Give the partition to its next owner; what is not committed comes again."""
        self.position = self.released = self.committed
        self.ahead, self.skipped = [], None
        self.owner = self.next_owner
        self.wake_owner()

    def wake_owner(self) -> None:
        """Let the member that owns the partition look for records."""
        if self.owner is not None:
            self.owner.wake_poller()

    def start_again_at(self, offset: int) -> None:
        """Start again from `offset`. Only while nothing is delivered."""
        self.committed = self.released = self.position = offset
        self.ahead, self.skipped = [], None


class Group:
    """A consumer group. `on_commit` is called with every progress, so that it can be stored."""

    def __init__(self, name: str, on_commit: Callable[[Assignment], None]) -> None:
        self.name = name
        self.on_commit = on_commit
        self.assignments: dict[int, Assignment] = {}
        self.members: list[GroupMember] = []

    def add_partition(self, stream: LogStream, committed: int) -> Assignment:
        """Take part in a partition, from this offset on."""
        assignment = self.assignments[stream.id] = Assignment(self, stream, committed)
        stream.readers.append(assignment)
        return assignment

    def add_member(self, member: GroupMember) -> None:
        """A member comes; partitions are shared out anew."""
        for stream in sorted(member.streams, key=lambda stream: stream.id):  # the same order in every run
            if stream.id not in self.assignments:
                # Stored at once: a group that is known holds back what would else be trimmed.
                self.on_commit(self.add_partition(stream, stream.start))
        self.members.append(member)
        self._rebalance_members()

    def remove_member(self, member: GroupMember) -> None:
        """A member goes; what it had in hand comes again to others."""
        self.members.remove(member)
        for assignment in self.assignments.values():
            if assignment.owner is member:
                assignment.next_owner = None
                assignment.hand_over()
        self._rebalance_members()

    def owned_by(self, member: GroupMember) -> list[Assignment]:
        """The partitions of a member."""
        return [assignment for assignment in self.assignments.values() if assignment.owner is member]

    def _rebalance_members(self) -> None:
        """Assign the partitions in turn, in the order of joining: evenly, and always the same for the same members."""
        turn = 0
        for stream_id in sorted(self.assignments):
            assignment = self.assignments[stream_id]
            takers = [member for member in self.members if assignment.stream in member.streams]
            assignment.next_owner = takers[turn % len(takers)] if takers else None
            turn += bool(takers)
            # Rule 2: while something is not committed, the owner keeps it until it is (`_pass_on`).
            if assignment.owner is not assignment.next_owner and not (assignment.owner and assignment.is_uncommitted):
                assignment.hand_over()


class GroupMember:
    """Implements `chat.ports.log.Consumer`; one task polls. After leaving, it raises `anyio.ClosedResourceError`."""

    def __init__(self, group: Group, streams: Sequence[LogStream], read: ReadChunk) -> None:
        self.group = group
        self.streams = frozenset(streams)
        self._read = read
        self._wake = AutoResetEvent()
        self._turn = 0
        self._open = True

    async def poll(self, max_records: int) -> Sequence[Batch]:
        """Cancelled, nothing was delivered."""
        # A call waits at least once before it takes: so a poller that always finds records leaves the others their
        # time, and a cancellation cannot come between the taking and the return.
        waited = False
        while True:
            self._check_open()
            assignments = self.group.owned_by(self)
            if any(assignment.is_ready for assignment in assignments):
                if waited:
                    return self._take_batches(assignments, max_records)
                await anyio.lowlevel.checkpoint()
            else:
                behind = next((assignment for assignment in assignments if assignment.is_behind), None)
                await (self._wake.wait_next() if behind is None else self._fetch_chunk(behind))
            waited = True

    def release(self, *batches: Batch) -> None:
        self._check_open()
        for batch in batches:
            for assignment in self._assignments_of(batch):
                assignment.release_before(batch.records[-1].offset + 1)
                self._wake_if_more(assignment)

    async def commit(self, *batches: Batch) -> None:
        """Cancelled, it may have taken effect."""
        self._check_open()
        for batch in batches:
            self._commit_batch(batch)
        await anyio.lowlevel.checkpoint()

    def _commit_batch(self, batch: Batch) -> None:
        offset = batch.records[-1].offset + 1
        for assignment in self._assignments_of(batch):
            if offset > assignment.committed:
                assignment.commit_before(offset)
                self.group.on_commit(assignment)
                self._pass_on(assignment)

    def _assignments_of(self, batch: Batch) -> list[Assignment]:
        """The partition of a batch, unless it has moved to another member."""
        place = batch.topic, batch.partition
        return [each for each in self.group.owned_by(self) if (each.stream.topic, each.stream.partition) == place]

    async def lag(self) -> int:
        await anyio.lowlevel.checkpoint()
        return sum(assignment.stream.end - assignment.committed for assignment in self.group.owned_by(self))

    def wake_poller(self) -> None:
        """Let the task that polls look again: there may be something to deliver."""
        self._wake.set()

    def close(self) -> None:
        """Leave the group."""
        self._open = False
        self.group.remove_member(self)
        self.wake_poller()

    def _pass_on(self, assignment: Assignment) -> None:
        if assignment.next_owner is self:
            self._wake_if_more(assignment)
        elif not assignment.is_uncommitted:
            assignment.hand_over()

    def _wake_if_more(self, assignment: Assignment) -> None:
        if assignment.is_free and assignment.stream.end > assignment.position:
            self.wake_poller()

    def _take_batches(self, assignments: Sequence[Assignment], max_records: int) -> list[Batch]:
        # Begin with another partition each time, so that a busy one does not take every place.
        self._turn += 1
        batches = []
        for index in range(len(assignments)):
            assignment = assignments[(index + self._turn) % len(assignments)]
            if not assignment.is_free or max_records <= 0:  # rules 1 and 2
                continue
            records = assignment.take_records(max_records)
            if records:
                max_records -= len(records)
                batches.append(Batch(assignment.stream.topic, assignment.stream.partition, records))
        return batches

    async def _fetch_chunk(self, assignment: Assignment) -> None:
        """Read a chunk from the disk, unless the partition has moved meanwhile."""
        position = assignment.position
        end = assignment.stream.end
        records = await self._read(assignment.stream, position)
        if assignment.owner is not self or assignment.position != position or not assignment.is_free:
            return  # a rebalance came during the read, and whoever owns it now reads it again
        if records:
            assignment.ahead = records
        else:  # trimmed: nothing is left of what was there
            assignment.skip_before(end)
            self.group.on_commit(assignment)

    def _check_open(self) -> None:
        if not self._open:
            raise anyio.ClosedResourceError
