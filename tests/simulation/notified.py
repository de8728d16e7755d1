"""What users were notified of in a run, and the two promises about it.

Promise 7: nobody is notified of what they have read, or may not read, or what was withdrawn. What was so for less than
  `MARGIN_SECONDS` is not counted: an announcement may have been on its way.
Promise 8: nobody who should be notified is forgotten: once all is quiet, every message that stands, concerns a user, is
  unread, and came while the user was away, was announced, by itself or by a newer one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chat.domain.concerns import Concerns, NewMessage
from chat.domain.conversations import is_room, pair_of, room_of
from chat.domain.models import Message
from chat.domain.notifying import UNDECIDED, NotificationLevel, RoomChoice, decide_level
from chat.domain.records import Deleted, Read
from chat.ports.history import Change
from chat.ports.notifier import Notification
from tests.simulation.engines import MemoryHistory
from tests.simulation.story import Story

MARGIN_SECONDS = 60.0


class TimedHistory(MemoryHistory):
    """A history that knows when each message was stored, read and withdrawn."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self.stored: dict[tuple[str, int], float] = {}
        self.read: list[tuple[float, str, str, int]] = []
        self.withdrawn: dict[tuple[str, int], float] = {}

    async def apply_batch(self, messages: Sequence[Message], changes: Sequence[Change]) -> Sequence[bool]:
        """See `History.apply_batch`."""
        applied = await super().apply_batch(messages, changes)
        for message in messages:
            self.stored[message.conversation, message.seq] = self._now()
        for change, done in zip(changes, applied, strict=True):
            if done and isinstance(change, Read):
                self.read.append((self._now(), change.actor, change.conversation, change.seq))
            elif done and isinstance(change, Deleted):
                self.withdrawn[change.conversation, change.seq] = self._now()
        return applied

    def read_by(self, user: str, conversation: str, before: float) -> int:
        """The user's read mark at that time."""
        marks = (seq for time, *reader, seq in self.read if time <= before and reader == [user, conversation])
        return max(marks, default=0)


class Standings:
    """Since when each user is in a room or out of it, and when each was online last."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.choices: dict[tuple[str, str], RoomChoice] = {}
        self._rooms: dict[tuple[str, str], tuple[bool, float]] = {}
        self._online: dict[str, float] = {}

    def set_member(self, user: str, room: str, is_member: bool) -> None:
        """From now on the user is in the room, or out of it."""
        self._rooms[user, room] = is_member, self._now()

    def note_online(self, user: str) -> None:
        """The user is online, or was until now."""
        self._online[user] = self._now()

    def is_member_since(self, user: str, conversation: str, since: float) -> bool:
        """Whether the user was in the conversation at all times since then."""
        if not is_room(conversation):
            return user in pair_of(conversation)
        is_member, changed = self._rooms[user, room_of(conversation)]
        return is_member and changed <= since

    def is_out_since(self, user: str, conversation: str, since: float) -> bool:
        """Whether the user was out at all times since then."""
        if not is_room(conversation):
            return user not in pair_of(conversation)
        is_member, changed = self._rooms[user, room_of(conversation)]
        return not is_member and changed <= since

    def was_away_since(self, user: str, since: float) -> bool:
        """Whether the user was never online since then."""
        return self._online.get(user, -1.0) < since

    def level_of(self, user: str, conversation: str) -> NotificationLevel:
        """What of the conversation concerns the user; it does not change in a run."""
        if not is_room(conversation):
            return NotificationLevel.ALL
        choice = self.choices.get((user, room_of(conversation)), RoomChoice())
        return decide_level(choice, UNDECIDED, is_large=False)


class NotifiedLedger:
    """What was announced, and whether that keeps the promises."""

    def __init__(self, story: Story, history: TimedHistory, standings: Standings, now: Callable[[], float]) -> None:
        self._story = story
        self._history = history
        self._standings = standings
        self._now = now
        self.announced: dict[tuple[str, str], list[Notification]] = {}

    def note_announced(self, notifications: Sequence[Notification]) -> None:
        """Devices show these from now on (promise 7)."""
        before = self._now() - MARGIN_SECONDS
        for each in notifications:
            self.announced.setdefault((each.user, each.conversation), []).append(each)
            where = f"{each.seq} of {self._story.name(each.conversation)}"
            who = self._story.name(each.user)
            self._story.tell(who, f"is notified of {where}, {each.kind}, {each.count} in all")
            withdrawn = self._history.withdrawn.get((each.conversation, each.seq))
            if each.user == each.sender:
                self._story.accuse(who, f"is notified of {where}, their own")
            if self._history.read_by(each.user, each.conversation, before) >= each.seq:
                self._story.accuse(who, f"is notified of {where}, which they have read")
            if self._standings.is_out_since(each.user, each.conversation, before):
                self._story.accuse(who, f"is notified of {where}, which they may not read")
            if withdrawn is not None and withdrawn <= before:
                self._story.accuse(who, f"is notified of {where}, which was withdrawn")

    async def check_forgotten(self, conversations: Sequence[str], users: Sequence[str]) -> None:
        """Check promise 8, when all is quiet and nobody is online."""
        for conversation in conversations:
            messages = await self._history.messages_since(conversation, 0, limit=1 << 30, max_bytes=1 << 30) or ()
            authors = {message.seq: message.sender for message in messages}
            for message in messages:
                replied = authors.get(message.reply_to) if message.reply_to is not None else None
                new = NewMessage(message.seq, message.sender, message.mentions, replied)
                for user in users:
                    if message.text is not None and self._is_forgotten(user, message, new):
                        where = f"{message.seq} of {self._story.name(conversation)}"
                        self._story.accuse(self._story.name(user), f"was never notified of {where}")

    def _is_forgotten(self, user: str, message: Message, new: NewMessage) -> bool:
        conversation = message.conversation
        stored = self._history.stored[conversation, message.seq]
        sent = message.ts / 1000
        if not self._standings.is_member_since(user, conversation, min(sent, stored)):
            return False
        if self._history.read_by(user, conversation, self._now()) >= message.seq or user == message.sender:
            return False
        is_online = not self._standings.was_away_since(user, sent)
        level = self._standings.level_of(user, conversation)
        if Concerns(conversation, [new]).find_concern(user, level, is_online=is_online) is None:
            return False
        shown = self.announced.get((user, conversation), ())
        return all(each.seq < message.seq for each in shown)
