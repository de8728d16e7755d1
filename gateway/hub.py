"""Who on this edge listens to what: channels, their members, and the order in which a member sees a room.

A channel of the hub is a channel of the relay that at least one session of this edge listens to. A room's channel keeps
these rules:

Rule 1: `seq` is the newest message that was fanned out. A message that is not newer is a repetition and is dropped.
After an interruption `seq` is None until the stream goes on; `floor` keeps what it was, to know repetitions by.
Rule 2: a message that is not the very next one shows a gap: members get the event `gap` before it. A session that waits
for its answer gets the `gap` right after the answer.
Rule 3: a session that subscribes reads history while the live stream goes on. From the moment that it asks until it is
answered, live frames wait in its `Joining`; then those that its answer did not hold follow, in order. So no message is
missed between history and live, and none is seen twice.
Rule 4: while `seq` is None, no answer sets it alone: a session that read history earlier may still need a message that
is on its way. `seq` becomes the least of the answers when all are given, or the seq of the next live message.

A session's way into a channel:

    WAITING   in `joining`, `frames` a list   it reads history; live frames wait in the list
    AHEAD     in `joining`, `frames` None     it was answered up to `after`, which the live stream has not reached
    MEMBER    in `members`                    it gets what is fanned out

`begin_joining` leads to WAITING, `finish_joining` from there to MEMBER or AHEAD. AHEAD happens because history is
written before the relay publishes: an answer may hold messages that are still to come live. They are withheld from this
session, and the first live message that reaches `after` makes it a member.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from msgspec import Struct

from chat.wire.events import GapEvent, encode
from gateway.connection import Connection, broadcast, gather_for_all
from gateway.websocket.encode import TextFrame

SLICE = 500
_WAITING_FRAMES = 10_000
_FEW = 4


class Subscriber(Protocol):
    """A session, as the hub sees it. A member can always be written to: a session that closes leaves its channels."""

    @property
    def connection(self) -> Connection: ...

    @property
    def deflate(self) -> bool: ...

    def gather_frame(self, frame: TextFrame) -> None:
        """Write the frame at the end of the turn, together with others."""
        ...


class Joining:
    """A session that is WAITING or AHEAD: see the module.

    `frames` are the live frames that wait for the answer, as (seq, or 0 for an event without one; frame). `lossy` says
    that some of those that should wait are not there. `after` is the seq up to which the answer went.
    """

    __slots__ = ("after", "frames", "lossy")

    def __init__(self) -> None:
        self.frames: list[tuple[int, TextFrame]] | None = []
        self.after = 0
        self.lossy = False


_NOBODY: Mapping[Subscriber, Joining] = MappingProxyType({})


class MessageTap(Protocol):
    """What looks at a room's messages without being a member; see `gateway.activity`."""

    def note_message(self, seq: int, body: bytes) -> None:
        """A message came, which did not come before."""
        ...

    def note_interruption(self) -> None:
        """Messages may be lost."""
        ...


class Part:
    """Some members of a channel, and what it takes to write to them: kept until the channel's members change."""

    __slots__ = ("deflating", "deflating_fds", "members", "plain", "plain_fds")

    def __init__(self, members: Sequence[Subscriber]) -> None:
        self.members = members
        self.plain = [each.connection for each in members if not each.deflate]
        self.plain_fds = tuple([each.fd for each in self.plain])
        self.deflating = [each.connection for each in members if each.deflate]
        self.deflating_fds = tuple([each.fd for each in self.deflating])

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)


class Channel:
    """A channel of the relay, and its members on this edge.

    Most channels are a user's, with one member for hours: few members are a tuple, which takes a fifth of a set's
    memory, and there is a dictionary only while somebody is joining.
    """

    __slots__ = ("_joining", "_parts", "floor", "members", "name", "ready", "seq", "tap", "unanswered")

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: tuple[Subscriber, ...] | set[Subscriber] = ()
        self._joining: dict[Subscriber, Joining] | None = None
        self.unanswered = 0  # how many in `joining` have no answer yet
        self.seq: int | None = None
        self.floor = 0
        self.ready = False  # the relay has confirmed the subscription
        self.tap: MessageTap | None = None
        self._parts: tuple[Part, ...] | None = None  # of a room with more than a few members

    @property
    def joining(self) -> Mapping[Subscriber, Joining]:
        """Those who are WAITING or AHEAD, in the order in which they came."""
        return self._joining or _NOBODY

    @property
    def empty(self) -> bool:
        """Whether no session here listens to it."""
        return not self.members and not self._joining and self.tap is None

    def add_member(self, subscriber: Subscriber) -> None:
        """Make it a member from the next frame on."""
        members = self.members
        if isinstance(members, set):
            members.add(subscriber)
        elif subscriber not in members:
            self.members = (*members, subscriber) if len(members) < _FEW else {*members, subscriber}
        self._parts = None

    def _remove_member(self, subscriber: Subscriber) -> None:
        members = self.members
        if isinstance(members, set):
            members.discard(subscriber)
        else:
            self.members = tuple(each for each in members if each is not subscriber)
        self._parts = None

    def _take_joining(self, subscriber: Subscriber) -> Joining | None:
        """It is not joining any more."""
        if self._joining is None:
            return None
        taken = self._joining.pop(subscriber, None)
        if not self._joining:
            self._joining = None
        return taken

    def remove_subscriber(self, subscriber: Subscriber) -> None:
        """No frame goes to it any more, not even one that is being fanned out now."""
        joining = self._take_joining(subscriber)
        if joining is not None and joining.frames is not None:  # WAITING
            self.unanswered -= 1
            self._settle_seq()  # the others may have waited for its answer alone
        if subscriber in self.members:
            self._remove_member(subscriber)

    def slice_members(self) -> Iterator[Part]:
        """The members, at most SLICE at a time. One that leaves between two slices is left out."""
        if not isinstance(self.members, set):
            yield Part(self.members)
            return
        # The parts are kept until the members change: most rooms get many messages between two changes.
        parts = self._parts
        if parts is None:
            members = list(self.members)
            parts = tuple([Part(members[start : start + SLICE]) for start in range(0, len(members), SLICE)])
            self._parts = parts
        for part in parts:
            yield part if self._parts is parts else Part([each for each in part if each in self.members])

    def begin_joining(self, subscriber: Subscriber) -> Joining:
        """The subscriber asks for the channel: from now on, its live frames wait (rule 3)."""
        self.remove_subscriber(subscriber)  # it may ask again, to resume after a `gap`
        joining = Joining()
        if self._joining is None:
            self._joining = {}
        self._joining[subscriber] = joining
        self.unanswered += 1
        return joining

    def finish_joining(self, subscriber: Subscriber, after: int) -> bool:
        """The subscriber was answered with everything up to `after`. False if something that came since is lost.

        What waited follows now. In a room, a `gap` before it says what was lost. A subscriber whose answer is ahead of
        the live stream becomes a member with the message `after`.
        """
        joining = self.joining.get(subscriber)
        if joining is None or joining.frames is None:
            return True  # it has left
        waiting, joining.frames, joining.after = joining.frames, None, after
        self.unanswered -= 1
        first = next((seq for seq, _ in waiting if seq > after), after + 1)
        whole = not joining.lossy and first == after + 1  # rule 2
        if not whole and self.name.startswith("room:"):
            subscriber.gather_frame(make_gap_frame(self.name, after + 1))
        for seq, frame in waiting:
            if seq == 0 or seq > after:  # rule 3
                subscriber.gather_frame(frame)
        if self.seq is None:
            self._settle_seq()
        elif self.seq >= after:
            self._make_member(subscriber)
        return whole  # else it is AHEAD

    def _settle_seq(self) -> None:
        """Set `seq` from the answers, once all are given (rule 4)."""
        if self.seq is not None or self.unanswered or not self.joining:
            return
        self.seq = max(self.floor, min(joining.after for joining in self.joining.values()))
        for subscriber, joining in list(self.joining.items()):
            if joining.after <= self.seq:
                self._make_member(subscriber)

    def _make_member(self, subscriber: Subscriber) -> None:
        """Make it a member, unless it has left: what it was just given may have been too much for its outbox."""
        if self._take_joining(subscriber) is not None:
            self.add_member(subscriber)

    def note_interruption(self) -> int | None:
        """The live stream was interrupted. The seq after which members need a `gap` event; None if nobody needs one.

        None if the stream was interrupted already: those who were answered have had their `gap`, and the others get
        theirs right after their answer.
        """
        seq, self.seq = self.seq, None
        if seq is None:
            for joining in self.joining.values():
                joining.lossy = joining.lossy or joining.frames is not None
            return None
        self.floor = seq  # rule 1
        return seq

    @staticmethod
    def write_frame(part: Part, frame: TextFrame) -> None:
        """Write a frame to some members now."""
        broadcast(part.plain, frame.plain, part.plain_fds)
        if part.deflating:
            broadcast(part.deflating, frame.deflated, part.deflating_fds)

    @staticmethod
    def gather_frame(part: Part, frame: TextFrame) -> None:
        """Write a frame to some members at the end of the turn, together with what else the turn brings."""
        if len(part) <= _FEW:
            for each in part:
                each.gather_frame(frame)
            return
        gather_for_all(part.plain, frame.plain, part.plain_fds)
        if part.deflating:
            gather_for_all(part.deflating, frame.deflated, part.deflating_fds)

    def deliver_to_joining(self, seq: int, frame: TextFrame) -> None:
        """Give a live frame (seq 0: an event without one) to those who are not members yet."""
        for subscriber, joining in list(self.joining.items()):
            if joining.frames is not None:  # WAITING
                if len(joining.frames) < _WAITING_FRAMES:
                    joining.frames.append((seq, frame))
                else:
                    joining.lossy = True
                continue
            # AHEAD: what its answer held is withheld; what goes beyond must be the very next (rule 2).
            if seq > joining.after + 1:
                subscriber.gather_frame(make_gap_frame(self.name, joining.after + 1))
            if seq == 0 or seq > joining.after:
                subscriber.gather_frame(frame)
            if seq and seq >= joining.after:
                self._make_member(subscriber)


def make_gap_frame(channel: str, from_seq: int) -> TextFrame:
    """The `gap` event for a room's channel: messages from `from_seq` on may be missed."""
    return TextFrame(encode(GapEvent(room=channel.partition(":")[2], from_seq=from_seq)))


class HubStatistics(Struct, frozen=True):
    """How many channels and memberships there are now."""

    channels: int
    members: int


class Hub:
    """All channels of this edge, by name."""

    __slots__ = ("channels",)

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}

    def get_channel(self, name: str) -> Channel | None:
        """The channel, if any session here listens to it."""
        return self.channels.get(name)

    def open_channel(self, name: str) -> Channel:
        """The channel, made if there was none. The caller adds a subscriber before its next await."""
        channel = self.channels.get(name)
        if channel is None:
            channel = self.channels[name] = Channel(name)
        return channel

    def leave_channel(self, name: str, subscriber: Subscriber) -> bool:
        """Take a subscriber out. True if it was the last one, and the channel is gone."""
        channel = self.channels.get(name)
        if channel is None:
            return False
        channel.remove_subscriber(subscriber)
        if channel.empty:
            del self.channels[name]
            return True
        return False

    def drop_if_empty(self, name: str) -> bool:
        """Forget a channel that nobody listens to. True if it is gone by that."""
        channel = self.channels.get(name)
        if channel is None or not channel.empty:
            return False
        del self.channels[name]
        return True

    def statistics(self) -> HubStatistics:
        """Counts now."""
        return HubStatistics(len(self.channels), sum(len(channel.members) for channel in self.channels.values()))
