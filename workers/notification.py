"""The notification pool's handler: decides whom stored messages concern, and leaves what waits for them in the store.

Rule 1: only what history has is decided about, and what is decided is durable before the notices are committed. Notices
  that come again change nothing (`chat.domain.pending`).
Rule 2: users are looked at in pages, so that memory is bounded whatever the size of a room.
Rule 3: in a large room nobody is looked at but those to whom something is addressed, and those who chose `all` for it.
Rule 4: what may have changed since is asked again when the entry is announced (`workers.announcer`): membership,
  blocks, read marks, withdrawals. What is decided here for good is what nobody would want to be made up for: levels,
  mutes, and that a user was online when a message came that is not addressed to them.
Rule 5: nobody waits for a notification as for a message. So each call lingers while more notices gather in the log, and
  a message that comes alone does not cost all the questions of a batch.
Rule 6: users who were passed over because they were online get a second look (`workers.overlooked`).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import anyio
from anyio.abc import TaskStatus
from msgspec import Struct

from chat.domain.concerns import Concerns, NewMessage
from chat.domain.conversations import is_room, pair_of, room_of
from chat.domain.mentions import find_mentions, list_display_names, resolve_mentions
from chat.domain.models import Message, PresenceState
from chat.domain.notifying import (
    NO_CHOICE,
    UNDECIDED,
    NotificationKind,
    NotificationLevel,
    decide_level,
)
from chat.domain.pending import NotedMessages
from chat.errors import Unavailable
from chat.ports.history import MessagePlace
from chat.ports.log import LogRecord
from chat.ports.pending import PendingNotifications
from chat.wire.notices import (
    AnyNotice,
    EditNotice,
    Notice,
    UndeliveredNotice,
    WithdrawalNotice,
    decode_notices,
)
from workers.announcement_facts import Sources
from workers.overlooked import Overlooked

GROUP = "notification"
PAGE = 500
LOOK_SECONDS = 5.0
_TRACED = (Notice, EditNotice)
_logger = logging.getLogger(__name__)


class Candidate(Struct, frozen=True):
    """A user whom a conversation's news may concern; `is_large` if it is a large room."""

    user: str
    concerns: Concerns
    is_large: bool


class NotificationHandler:
    """Implements `workers.pool.Handler` for the notices of `NOTIFICATION_TOPIC`, in the group `GROUP`.

    `noted` counts what was left for users. `wake_announcer` is called when something was. With
    `digest_after_ms`, users get digests of what stays unread for so long. Each call lingers for `linger_s` seconds.
    `presence_ms`: how long presence shows a session as online at most that is gone; see `look_again`.
    """

    def __init__(
        self,
        *,
        pending: PendingNotifications,
        sources: Sources,
        digest_after_ms: int | None = None,
        linger_s: float = 0.0,
        presence_ms: int = 60_000,
        wake_announcer: Callable[[], None] = lambda: None,
    ) -> None:
        self.noted = 0
        self.decided = 0
        self._pending = pending
        self._sources = sources
        self._digest_after_ms = digest_after_ms
        self._linger_s = linger_s
        self._wake_announcer = wake_announcer
        self._overlooked: Overlooked[NotedMessages] = Overlooked(presence_ms)

    async def look_again_regularly(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """The background task of rule 6."""
        task_status.started()
        while True:
            await anyio.sleep(LOOK_SECONDS)
            try:
                await self.look_again()
            except Unavailable as error:
                _logger.warning("users of edges that are gone may miss a notification: %s", error.message)

    async def look_again(self) -> None:
        """Leave for those who were online by what presence said, and are gone, what they were passed over for. Raises
        `Unavailable`; then a page of them is forgotten."""
        while due := self._overlooked.take_due(self._sources.clock(), PAGE):
            states = await self._sources.presence.get_states({each.user for each in due})
            gone = [each for each in due if states[each.user].state is not PresenceState.ONLINE]
            await self._note_messages(gone, self._sources.clock())

    def decode_record(self, entry: LogRecord) -> Sequence[AnyNotice]:
        """The notices in an entry, or `Poison`."""
        return decode_notices(entry.value)

    async def handle_records(self, records: Sequence[Sequence[AnyNotice]]) -> None:
        """Raises `Unavailable`; then some may be decided, and the same again changes nothing of these."""
        await anyio.sleep(self._linger_s)  # rule 5
        notices = [notice for record in records for notice in record]
        chunk: list[Candidate] = []
        async with aclosing(self._list_candidates(await self._find_concerns(notices))) as pages:
            async for page in pages:
                chunk += page
                if len(chunk) >= PAGE:  # rule 2
                    await self._decide_candidates(chunk)
                    chunk = []
        await self._decide_candidates(chunk)
        await self._note_again([each for each in notices if isinstance(each, UndeliveredNotice)])
        for notice in notices:
            if isinstance(notice, WithdrawalNotice):
                await self._pending.note_withdrawal(notice.conversation, notice.seq, self._sources.clock())
                self._wake_announcer()

    async def _find_concerns(self, notices: Sequence[AnyNotice]) -> list[Concerns]:
        """What is new in each conversation."""
        stored = [notice for notice in notices if isinstance(notice, Notice)]
        edits = await self._find_edits([notice for notice in notices if isinstance(notice, EditNotice)])
        originals = {
            (notice.conversation, each.reply_to)
            for notice in stored
            for each in notice.messages
            if each.reply_to is not None
        }
        replied = await self._sources.history.find_messages(originals) if originals else {}
        news: dict[str, dict[int, NewMessage]] = {conversation: {} for conversation in edits}
        for notice in stored:
            new = news.setdefault(notice.conversation, {})
            for each in notice.messages:  # one may be there twice, after a crash
                author = _find_author(replied, notice.conversation, each.reply_to)
                new[each.seq] = NewMessage(each.seq, each.sender, each.mentions, author)
        traces = {each.conversation: each.trace for each in notices if isinstance(each, _TRACED) and each.trace}
        return [Concerns(key, list(some.values()), edits.get(key), traces.get(key, "")) for key, some in news.items()]

    async def _find_edits(self, notices: Sequence[EditNotice]) -> dict[str, dict[str, list[int]]]:
        """Conversation → user → messages that mention the user since an edit, and did not before."""
        found: dict[str, dict[str, list[int]]] = {}
        places = {(each.conversation, each.seq) for each in notices}
        messages = await self._sources.history.find_messages(places) if places else {}
        for each in notices:
            message = messages.get((each.conversation, each.seq))
            if message is None or message.text is None:
                continue
            before = set() if each.is_restored else await self._find_earlier_mentions(each)
            for user in set(each.mentions).intersection(message.mentions) - before - {message.sender}:
                found.setdefault(each.conversation, {}).setdefault(user, []).append(each.seq)
        return found

    async def _find_earlier_mentions(self, notice: EditNotice) -> set[str]:
        """Whom the message mentioned before this edit, in any of its texts."""
        texts = await self._sources.history.earlier_texts(notice.conversation, notice.seq)
        mentions = [each for until, text in texts if until <= notice.ts for each in find_mentions(text)]
        if not mentions:
            return set()
        ids = await self._sources.accounts.ids_by_names({name for mention in mentions for name in mention.names})
        wanted = list_display_names(mentions, ids) if is_room(notice.conversation) else set()
        displayed = await self._sources.accounts.find_displayed(room_of(notice.conversation), wanted) if wanted else {}
        return set(resolve_mentions(mentions, ids, displayed))

    async def _list_candidates(self, news: Sequence[Concerns]) -> AsyncGenerator[list[Candidate], None]:
        rooms = {room_of(each.conversation) for each in news if is_room(each.conversation)}
        known = await self._sources.known_rooms.describe_rooms(rooms)
        for each in news:
            if not is_room(each.conversation):
                yield [Candidate(user, each, is_large=False) for user in pair_of(each.conversation)]
                continue
            room = room_of(each.conversation)
            if room not in known:
                continue  # it was deleted
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
        """Of a large room, those to whom something is addressed, and those who chose `all` (rule 3)."""
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

    def _overlook(self, candidate: Candidate, now: int) -> None:
        """Keep what would concern this user, who is online, if they were not (rule 6)."""
        concern = candidate.concerns.find_concern(candidate.user, NotificationLevel.ALL, is_online=False)
        if concern is not None:
            self._overlooked.keep(concern, now)

    async def _decide_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Leave for these users what concerns them."""
        if not candidates:
            return
        self.decided += len(candidates)
        now = self._sources.clock()
        users = {each.user for each in candidates}
        settings = await self._sources.settings.get_settings(users)
        places = {
            (each.user, room_of(each.concerns.conversation))
            for each in candidates
            if is_room(each.concerns.conversation)
        }
        choices = await self._sources.settings.get_room_choices(places) if places else {}
        states = await self._sources.presence.get_states(users)
        noted: list[NotedMessages] = []
        for each in candidates:
            conversation = each.concerns.conversation
            wanted = settings.get(each.user, UNDECIDED)
            level = NotificationLevel.ALL
            if is_room(conversation):
                choice = choices.get((each.user, room_of(conversation)), NO_CHOICE)
                muted = choice.is_muted(now)
                level = NotificationLevel.NOTHING if muted else decide_level(choice, wanted, is_large=each.is_large)
            if not wanted.push and not (wanted.email and self._digest_after_ms):
                continue
            is_online = states[each.user].state is PresenceState.ONLINE
            concern = each.concerns.find_concern(each.user, level, is_online=is_online)
            if is_online and is_room(conversation) and level is NotificationLevel.ALL:
                self._overlook(each, now)
            if concern is not None:
                noted.append(concern)
        await self._note_messages(noted, now)

    async def _note_again(self, notices: Sequence[UndeliveredNotice]) -> None:
        """What was given up, and is replayed."""
        noted = [
            NotedMessages(
                user=each.user,
                conversation=each.conversation,
                kind=NotificationKind.MENTION if is_room(each.conversation) else NotificationKind.DM,
                edits=[each.seq],
            )
            for each in notices
        ]
        await self._note_messages(noted, self._sources.clock())

    async def _note_messages(self, noted: Sequence[NotedMessages], now: int) -> None:
        if noted:
            digest_due = now + self._digest_after_ms if self._digest_after_ms else None
            count = await self._pending.note_messages(noted, now, digest_due=digest_due)
            self.noted += count  # read after the await, for another turn may have counted meanwhile
            self._wake_announcer()


def _find_author(messages: dict[MessagePlace, Message], conversation: str, seq: int | None) -> str | None:
    message = messages.get((conversation, seq)) if seq is not None else None
    return message.sender if message is not None else None
