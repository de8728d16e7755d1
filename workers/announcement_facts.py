"""What holds for entries that are due: asked for all of a batch at once, at the moment at which they are announced."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import Struct

from chat.domain.conversations import is_room, partner, room_of
from chat.domain.display_names import name_senders
from chat.domain.models import Message, PresenceState
from chat.domain.notifying import (
    NO_CHOICE,
    UNDECIDED,
    NotificationLevel,
    NotificationSettings,
    RoomChoice,
    decide_level,
    is_wanted,
)
from chat.domain.pending import Facts, PendingNotification
from chat.ports.accounts import Accounts
from chat.ports.history import History
from chat.ports.notifications import NotificationStore
from chat.ports.presence import Presence, Seen
from chat.ports.rooms import Rooms
from workers.known_rooms import KnownRoom, KnownRooms

UserConversation = tuple[str, str]
"""(user, conversation)"""
SEARCHED = 100
"""How many messages are looked at for one that stands, when the newest was withdrawn."""


class Sources(Struct, frozen=True, kw_only=True):
    """The ports that are asked. `clock` gives milliseconds since the epoch."""

    accounts: Accounts
    rooms: Rooms
    history: History
    presence: Presence
    settings: NotificationStore
    known_rooms: KnownRooms
    clock: Callable[[], int]


class LoadedFacts(Struct, frozen=True):
    """The answers for a batch of entries."""

    users: Collection[str]
    members: Collection[tuple[str, str]]
    rooms: Mapping[str, KnownRoom]
    settings: Mapping[str, NotificationSettings]
    choices: Mapping[tuple[str, str], RoomChoice]
    states: Mapping[str, Seen]
    marks: Mapping[tuple[str, str], int]
    blocks: Collection[tuple[str, str]]

    def settings_of(self, user: str) -> NotificationSettings:
        """What the user decided."""
        return self.settings.get(user, UNDECIDED)

    def read_mark(self, entry: PendingNotification) -> int:
        """Up to where the user has read."""
        return self.marks[entry.user, entry.conversation]

    def room_name(self, entry: PendingNotification) -> str:
        """The name of the room; empty for a direct conversation."""
        if not is_room(entry.conversation):
            return ""
        known = self.rooms.get(room_of(entry.conversation))
        return known.name if known is not None else ""

    def level_of(self, entry: PendingNotification, now: int) -> NotificationLevel:
        """What of the conversation concerns the user now; nothing while it is muted, or blocked."""
        if not is_room(entry.conversation):
            blocked = (entry.user, partner(entry.conversation, entry.user)) in self.blocks
            return NotificationLevel.NOTHING if blocked else NotificationLevel.ALL
        room = room_of(entry.conversation)
        choice = self.choices.get((entry.user, room), NO_CHOICE)
        if choice.is_muted(now):
            return NotificationLevel.NOTHING
        is_large = room in self.rooms and self.rooms[room].is_large
        return decide_level(choice, self.settings_of(entry.user), is_large=is_large)

    def may_read(self, entry: PendingNotification) -> bool:
        """Whether the user has an account that is not blocked, and is in the room."""
        if entry.user not in self.users:
            return False
        return not is_room(entry.conversation) or (room_of(entry.conversation), entry.user) in self.members

    def facts_of(self, entry: PendingNotification, now: int) -> Facts:
        """What decides about an entry."""
        settings = self.settings_of(entry.user)
        return Facts(
            may_read=self.may_read(entry),
            is_wanted=settings.push and is_wanted(entry.kind, self.level_of(entry, now)),
            settings=settings,
            is_online=self.states[entry.user].state is PresenceState.ONLINE,
            read=self.read_mark(entry),
        )


class FactsReader:
    """Asks the ports."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def load_facts(self, entries: Sequence[PendingNotification]) -> LoadedFacts:
        """What holds for these entries. Raises `Unavailable`."""
        ask = self._sources
        users = {entry.user for entry in entries}
        places = {(room_of(entry.conversation), entry.user) for entry in entries if is_room(entry.conversation)}
        pairs = {
            (entry.user, partner(entry.conversation, entry.user))
            for entry in entries
            if not is_room(entry.conversation)
        }
        accounts = await ask.accounts.get_users(users)
        chosen = [(user, room) for room, user in places]
        return LoadedFacts(
            users={user for user, account in accounts.items() if not account.blocked},
            members=await ask.rooms.find_members(places) if places else (),
            rooms=await ask.known_rooms.describe_rooms({room for room, _ in places}),
            settings=await ask.settings.get_settings(users),
            choices=await ask.settings.get_room_choices(chosen) if chosen else {},
            states=await ask.presence.get_states(users),
            marks=await ask.history.find_read_marks({(entry.user, entry.conversation) for entry in entries}),
            blocks=await ask.accounts.find_blocks(pairs) if pairs else (),
        )

    async def find_messages(
        self, entries: Sequence[PendingNotification], loaded: LoadedFacts
    ) -> dict[UserConversation, Message]:
        """The message to announce of each entry: the newest that waits, and if that was withdrawn or is of a user whom
        the reader blocks, the newest before it that is not. What has none is missing."""
        places = {(entry.conversation, entry.target) for entry in entries}
        messages = await self._sources.history.find_messages(places) if places else {}
        offers = [
            (entry.user, message)
            for entry in entries
            if (message := messages.get((entry.conversation, entry.target))) is not None
        ]
        found = {(user, message.conversation): message for user, message in await self.select_fit(offers)}
        for entry in entries:
            place = (entry.user, entry.conversation)
            if place not in found:
                earlier = await self._find_earlier(entry, loaded, entry.target)
                found |= {
                    place: message
                    for place, message in earlier.items()
                    if message.seq > entry.announced or message.seq in entry.edits  # else it was announced
                }
        return found

    async def find_standing(
        self, entries: Sequence[PendingNotification], loaded: LoadedFacts
    ) -> dict[UserConversation, Message]:
        """As `find_messages`, for entries of which devices show a message that was withdrawn."""
        found: dict[UserConversation, Message] = {}
        for entry in entries:
            found |= await self._find_earlier(entry, loaded, entry.newest + 1)
        return found

    async def _find_earlier(
        self, entry: PendingNotification, loaded: LoadedFacts, before: int
    ) -> dict[UserConversation, Message]:
        """The newest message below `before` that stands, concerns the user, and was not read; or none."""
        ask = self._sources
        page = await ask.history.read_page(entry.conversation, before=before, after=None, limit=SEARCHED)
        after = loaded.read_mark(entry)
        fit = await self.select_fit([(entry.user, message) for message in page.messages if message.seq > after])
        unread = [message for _, message in fit]
        if loaded.level_of(entry, ask.clock()) is NotificationLevel.MENTIONS and unread:
            replies = [(entry.conversation, each.reply_to) for each in unread if each.reply_to is not None]
            originals = await ask.history.find_messages(replies) if replies else {}
            own = {seq for (_, seq), original in originals.items() if original.sender == entry.user}
            unread = [each for each in unread if entry.user in each.mentions or each.reply_to in own]
        return {(entry.user, entry.conversation): unread[0]} if unread else {}

    async def select_fit(self, offers: Sequence[tuple[str, Message]]) -> list[tuple[str, Message]]:
        """Those of these (user, message) that may be announced: the message stands, is another's, and neither the
        instance nor the user blocks its author. They have the display names of their authors."""
        offers = [each for each in offers if each[1].text is not None and each[1].sender != each[0]]
        if not offers:
            return []
        accounts = await self._sources.accounts.get_users({message.sender for _, message in offers})
        blocks = await self._sources.accounts.find_blocks({(user, message.sender) for user, message in offers})
        fit = [
            (user, message)
            for user, message in offers
            if (user, message.sender) not in blocks
            and not (message.sender in accounts and accounts[message.sender].blocked)
        ]
        named = name_senders([message for _, message in fit], accounts)
        return [(user, message) for (user, _), message in zip(fit, named, strict=True)]
