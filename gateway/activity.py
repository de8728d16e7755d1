"""What happens in rooms that sessions follow without subscribing: gathered, and sent once a second.

A client shows for each of its rooms what is unread and what was said last, also for the rooms that are too many to be
subscribed. What that costs does not grow with the messages:

Rule 1: the relay carries a room's message once to each edge, as for subscribers; nobody publishes to each member.
Rule 2: a message is decoded once for all its followers here. What is kept of a room until the next turn is its newest
  message, and who sent and who was mentioned: a number for each sender.
Rule 3: a follower gets at most one event a second and 100 rooms, however many messages came.
Rule 4: a follower was a member when it began to follow. It is taken out at once when its membership ends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import anyio
import anyio.lowlevel
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from chat.concurrency import AutoResetEvent
from chat.wire.events import Person, RoomActivity, encode
from chat.wire.relay import room_channel
from gateway.hub import SLICE, Channel, Hub
from gateway.multiplexer import Multiplexer
from gateway.registry import RegisteredSession
from gateway.subscriptions import ChannelSubscriptions
from gateway.websocket.encode import TextFrame

TURN_SECONDS = 1.0
_ROOMS_IN_EVENT = 100
_EXCERPT = 120
_SENDERS = 1000  # of one room in one turn; more are not told from others


class _Message(Struct, frozen=True):
    """What is read of a `message` event."""

    sender: Person
    text: str | None
    ts: str
    mentions: tuple[str, ...] = ()


_decoder = msgspec.json.Decoder(_Message)


class RoomNews:
    """A followed room: who follows it here, and what came since the last turn. Implements `gateway.hub.MessageTap`."""

    __slots__ = ("_followed", "followers", "last", "mentioned", "missed", "room", "senders", "seq")

    def __init__(self, followed: FollowedRooms, room: str) -> None:
        self._followed = followed
        self.room = room
        self.followers: set[RegisteredSession] = set()
        self.clear()

    def clear(self) -> None:
        """Begin another turn."""
        self.seq = 0
        self.missed = False
        self.last: _Message | None = None
        self.senders: dict[str, int] = {}
        self.mentioned: set[str] = set()

    def note_message(self, seq: int, body: bytes) -> None:
        """A message came (rule 2)."""
        try:
            message = _decoder.decode(body)
        except msgspec.MsgspecError:  # of a version that this one does not know
            return self.note_interruption()
        self.seq, self.last = seq, message
        sender = message.sender.id
        if sender in self.senders or len(self.senders) < _SENDERS:
            self.senders[sender] = self.senders.get(sender, 0) + 1
        self.mentioned.update(message.mentions)
        return self._followed.note_news(self)

    def note_interruption(self) -> None:
        """Messages may be lost: followers read the room again."""
        self.missed = True
        self._followed.note_news(self)

    def make_parts(self) -> Iterator[tuple[RegisteredSession, bytes]]:
        """What each follower is sent of this turn, as JSON; most get the same."""
        last = self.last
        text = last.text if last is not None else None
        plain = RoomActivity(
            room=self.room,
            seq=self.seq,
            sender=last.sender if last is not None else None,
            text=None if text is None else text[:_EXCERPT],
            ts=last.ts if last is not None else None,
            missed=self.missed,
        )
        same = encode(plain)
        for follower in tuple(self.followers):
            own, mentioned = self.senders.get(follower.user, 0), follower.user in self.mentioned
            yield follower, encode(replace(plain, own=own, mentioned=mentioned)) if own or mentioned else same


class FollowedRooms:
    """All rooms that sessions of this edge follow."""

    __slots__ = ("_hub", "_mux", "_news", "_subscriptions", "_wanted")

    def __init__(self, hub: Hub, subscriptions: ChannelSubscriptions, mux: Multiplexer) -> None:
        self._hub = hub
        self._subscriptions = subscriptions
        self._mux = mux
        self._news: dict[str, RoomNews] = {}  # by room: those with something to send
        self._wanted = AutoResetEvent()

    def follow_rooms(self, session: RegisteredSession, rooms: Collection[str]) -> list[Channel]:
        """Let the session follow these rooms, too. The caller makes their channels ready."""
        channels = []
        for room in rooms:
            channel = self._hub.open_channel(room_channel(room))
            if not isinstance(channel.tap, RoomNews):
                channel.tap = RoomNews(self, room)
            channel.tap.followers.add(session)
            channels.append(channel)
        return channels

    def leave_rooms(self, session: RegisteredSession, rooms: Collection[str]) -> None:
        """The session gets nothing more of these rooms, from this moment on (rule 4)."""
        for room in rooms:
            channel = self._hub.get_channel(room_channel(room))
            news = channel.tap if channel is not None else None
            if channel is None or not isinstance(news, RoomNews):
                continue
            news.followers.discard(session)
            if not news.followers:
                channel.tap = None
                self._news.pop(room, None)
                self._subscriptions.release_if_empty(channel.name)

    def note_news(self, news: RoomNews) -> None:
        """The room has something to send with the next turn."""
        self._news[news.room] = news
        self._wanted.set()

    async def run(self) -> None:
        """Send what was gathered, once a second, until cancelled (rule 3)."""
        while True:
            await self._wanted.wait()
            await anyio.sleep(TURN_SECONDS)
            await self._send_news()

    async def _send_news(self) -> None:
        parts: dict[RegisteredSession, list[tuple[str, bytes]]] = {}
        rooms, self._news = self._news, {}
        for news in rooms.values():
            for follower, part in news.make_parts():
                parts.setdefault(follower, []).append((news.room, part))
            news.clear()
        for number, (follower, gathered) in enumerate(parts.items(), 1):
            # Since they were gathered, other tasks may have had their turn: a membership may have ended (rule 4).
            some = [part for room, part in gathered if room in follower.following]
            for start in range(0, len(some), _ROOMS_IN_EVENT):
                body = b",".join(some[start : start + _ROOMS_IN_EVENT])
                follower.gather_frame(TextFrame(b'{"type":"activity","rooms":[%b]}' % body))
            if number % SLICE == 0:  # so no other session waits for all of them
                self._mux.flush()
                await anyio.lowlevel.checkpoint()
        self._mux.flush()
