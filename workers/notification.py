"""The notification pool's handler: decides whom stored messages concern, and leaves what waits for them in the store.

Rule 1: only what history has is decided about, and what is decided is durable before the notices are committed. Notices
  that come again change nothing (`chat.domain.pending`).
Rule 2: users are looked at in pages (`workers.audience`), so that memory is bounded whatever the size of a room.
Rule 3: what may have changed since is asked again when the entry is announced (`workers.announcer`): membership,
  blocks, read marks, withdrawals. What is decided here for good is what nobody would want to be made up for: levels,
  mutes, and that a user was online when a message came that is not addressed to them.
Rule 4: nobody waits for a notification as for a message. So each call lingers while more notices gather in the log, and
  a message that comes alone does not cost all the questions of a batch. The longer the last call took, the longer it
  lingers, up to `LONGEST` times: users are decided about once for all that a conversation has gathered, so where many
  rooms are busy, deciding leaves messages their share of the processor.
Rule 5: users who were passed over because they were online get a second look (`workers.second_looks`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing

import anyio

from chat.domain.concerns import Concerns, NewMessage
from chat.domain.conversations import is_room, room_of
from chat.domain.mentions import find_mentions, list_display_names, resolve_mentions
from chat.domain.models import Message
from chat.domain.notifying import (
    NotificationKind,
    NotificationLevel,
)
from chat.domain.pending import NotedMessages
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
from workers.audience import PAGE, Audience, Candidate
from workers.noting import Noting
from workers.second_looks import SecondLooks

GROUP = "notification"
LONGEST = 4
_CALLS_IN_LINGER = 3
_TRACED = (Notice, EditNotice)
_logger = logging.getLogger(__name__)


class NotificationHandler:
    """Implements `workers.pool.Handler` for the notices of `NOTIFICATION_TOPIC`, in the group `GROUP`.

    `wake_announcer` is called when something was left for users. With `digest_after_ms`, they get digests of what stays
    unread for so long. Each call lingers for `linger_s` seconds, or longer (rule 4). `presence_ms`: how long presence
    shows a session as online at most that is gone; `second_looks` is to be run, too.
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
        looks: Callable[..., SecondLooks] = SecondLooks,
    ) -> None:
        self.decided = 0
        self._pending = pending
        self._sources = sources
        self._linger_s = self._next_linger_s = linger_s
        self._wake_announcer = wake_announcer
        self._audience = Audience(sources, has_digests=bool(digest_after_ms))
        self._noting = Noting(
            pending, clock=sources.clock, digest_after_ms=digest_after_ms, wake_announcer=wake_announcer
        )
        self.second_looks = looks(
            pending=pending,
            sources=sources,
            audience=self._audience,
            noting=self._noting,
            presence_ms=presence_ms,
        )

    @property
    def noted(self) -> int:
        """How often something was left for a user."""
        return self._noting.count

    def decode_record(self, entry: LogRecord) -> Sequence[AnyNotice]:
        """The notices in an entry, or `Poison`."""
        return decode_notices(entry.value)

    async def handle_records(self, records: Sequence[Sequence[AnyNotice]]) -> None:
        """Raises `Unavailable`; then some may be decided, and the same again changes nothing of these."""
        await anyio.sleep(self._next_linger_s)  # rule 4
        began = anyio.current_time()
        await self._handle_notices(records)
        took = anyio.current_time() - began
        self._next_linger_s = min(max(self._linger_s, _CALLS_IN_LINGER * took), LONGEST * self._linger_s)

    async def _handle_notices(self, records: Sequence[Sequence[AnyNotice]]) -> None:
        notices = [notice for record in records for notice in record]
        chunk: list[Candidate] = []
        async with aclosing(self._audience.list_candidates(await self._find_concerns(notices))) as pages:
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

    async def _decide_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Leave for these users what concerns them, and let those who are online be looked at again."""
        if not candidates:
            return
        self.decided += len(candidates)
        now = self._sources.clock()
        wishes = await self._audience.find_wishes(candidates, now)
        online = await self._audience.find_online({each.user for each in candidates})
        noted: list[NotedMessages] = []
        passed_over: dict[str, int] = {}
        for each, wish in zip(candidates, wishes, strict=True):
            if wish is None:
                continue
            concerns, is_online = each.concerns, each.user in online
            concern = concerns.find_concern(each.user, wish.level, is_online=is_online)
            if concern is not None:
                noted.append(concern)
            if is_online and is_room(concerns.conversation) and wish.level is NotificationLevel.ALL:
                first = concerns.find_first_of_others(each.user)
                if first is not None:
                    passed_over[concerns.conversation] = min(first, passed_over.get(concerns.conversation, first))
        await self._noting.note_messages(noted)
        await self.second_looks.schedule_looks(passed_over, now)  # rule 5

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
        await self._noting.note_messages(noted)


def _find_author(messages: dict[MessagePlace, Message], conversation: str, seq: int | None) -> str | None:
    message = messages.get((conversation, seq)) if seq is not None else None
    return message.sender if message is not None else None
