"""Whom new messages of a conversation may concern: its users, in pages, and what each of them wants to hear of it.

Rule 1: users are looked at in pages, so that memory is bounded whatever the size of a room.
Rule 2: in a large room nobody is looked at but those to whom something is addressed, and those who chose `all` for it.
Rule 3: rooms of at most `SMALL_MEMBERS` are asked for together, `AT_ONCE` with one question, for most rooms are small,
  and a question costs more than its answer. Larger ones are asked for alone, page by page.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing

from msgspec import Struct

from chat.domain.concerns import Concerns
from chat.domain.conversations import is_room, pair_of, room_of
from chat.domain.models import PresenceState
from chat.domain.notifying import NO_CHOICE, UNDECIDED, NotificationLevel, decide_level
from workers.announcement_facts import Sources

PAGE = 500
SMALL_MEMBERS = 50
AT_ONCE = 100


class Candidate(Struct, frozen=True):
    """A user whom a conversation's news may concern; `is_large` if it is a large room."""

    user: str
    concerns: Concerns
    is_large: bool


class Wish(Struct, frozen=True):
    """What a candidate wants to hear of the conversation. What came before `heard_from` (milliseconds) was muted."""

    level: NotificationLevel
    heard_from: int


class Audience:
    """Asks the ports. With `has_digests`, users who want e-mail alone are candidates, too."""

    def __init__(self, sources: Sources, *, has_digests: bool) -> None:
        self._sources = sources
        self._has_digests = has_digests

    async def list_candidates(self, news: Sequence[Concerns]) -> AsyncGenerator[list[Candidate], None]:
        """Those of each conversation, in pages (rule 1). Those of a room that was deleted are none."""
        for start in range(0, len(news), AT_ONCE):
            async with aclosing(self._list_some(news[start : start + AT_ONCE])) as pages:
                async for page in pages:
                    yield page

    async def _list_some(self, news: Sequence[Concerns]) -> AsyncGenerator[list[Candidate], None]:
        rooms = {room_of(each.conversation) for each in news if is_room(each.conversation)}
        known = await self._sources.known_rooms.describe_rooms(rooms)
        asked = [room for room, facts in known.items() if not facts.is_large]
        small = await self._sources.rooms.find_small_rooms(asked, SMALL_MEMBERS) if len(asked) > 1 else {}  # rule 3
        for each in news:
            if not is_room(each.conversation):
                yield [Candidate(user, each, is_large=False) for user in pair_of(each.conversation)]
                continue
            room = room_of(each.conversation)
            if room in small:
                yield [Candidate(user, each, is_large=False) for user in small[room]]
            elif room in known:
                is_large = known[room].is_large
                async with aclosing(self._list_choosers(room, each) if is_large else self._list_members(room)) as pages:
                    async for users in pages:
                        yield [Candidate(user, each, is_large=is_large) for user in users]

    async def _list_members(self, room: str) -> AsyncGenerator[list[str], None]:
        after = ""
        while True:
            members = await self._sources.rooms.list_members(room, after, PAGE)
            yield [member.user for member in members]
            if len(members) < PAGE:
                return
            after = members[-1].name

    async def _list_choosers(self, room: str, concerns: Concerns) -> AsyncGenerator[list[str], None]:
        """Of a large room, those to whom something is addressed, and those who chose `all` (rule 2)."""
        addressed = set(concerns.addressed)
        yield await self._list_present(room, sorted(addressed))
        after = ""
        while True:
            users = await self._sources.settings.list_users_of_level(
                room, NotificationLevel.ALL, after=after, limit=PAGE
            )
            yield await self._list_present(room, [user for user in users if user not in addressed])
            if len(users) < PAGE:
                return
            after = users[-1]

    async def _list_present(self, room: str, users: Sequence[str]) -> list[str]:
        """Those of these users who are members."""
        members = await self._sources.rooms.find_members([(room, user) for user in users]) if users else set()
        return [user for user in users if (room, user) in members]

    async def find_online(self, users: Collection[str]) -> set[str]:
        """Those with a session that is not away."""
        states = await self._sources.presence.get_states(users)
        return {user for user in users if states[user].state is PresenceState.ONLINE}

    async def find_wishes(self, candidates: Sequence[Candidate], now: int) -> list[Wish | None]:
        """What each wants; None for those who want neither push nor e-mail."""
        settings = await self._sources.settings.get_settings({each.user for each in candidates})
        places = {
            (each.user, room_of(each.concerns.conversation))
            for each in candidates
            if is_room(each.concerns.conversation)
        }
        choices = await self._sources.settings.get_room_choices(places) if places else {}
        wishes: list[Wish | None] = []
        for each in candidates:
            wanted = settings.get(each.user, UNDECIDED)
            if not wanted.push and not (wanted.email and self._has_digests):
                wishes.append(None)
            elif not is_room(each.concerns.conversation):
                wishes.append(Wish(NotificationLevel.ALL, 0))
            else:
                choice = choices.get((each.user, room_of(each.concerns.conversation)), NO_CHOICE)
                muted = choice.is_muted(now)
                level = NotificationLevel.NOTHING if muted else decide_level(choice, wanted, is_large=each.is_large)
                wishes.append(Wish(level, choice.muted_until or 0))
        return wishes
