"""Users who were online when a message came that is not addressed to them: a second look at whether that was true.

Presence shows the users of an edge that crashed as online until their sessions expire. So a conversation is looked at
again once they have: who is gone then, and has not read, is notified as if they had been gone before.

Rule 1: a look is durable before the notices are committed. Whichever process is there takes it when it is due, and one
  that crashes in it leaves it to the next: so nobody is forgotten, whatever dies.
Rule 2: it is one small row for a conversation and `STEPS` in the time that sessions take to expire, however many
  messages and users there are. Nothing is kept in memory but which rows were written.
Rule 3: a look asks everything anew: what stands in history, members, levels, mutes at the time of a message, presence,
  and read marks. Users who were notified at once have the message already, and get it no second time.
Rule 4: it counts the newest `SEARCHED` messages, and no more.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing

import anyio
from anyio.abc import TaskStatus
from cachetools import LRUCache

from chat.domain.concerns import Concerns, NewMessage
from chat.domain.models import Message
from chat.domain.notifying import NotificationLevel
from chat.domain.pending import NotedMessages
from chat.errors import Unavailable
from chat.ports.pending import PendingNotifications, SecondLook
from workers.announcement_facts import Sources
from workers.audience import Audience, Candidate
from workers.noting import Noting

LOOK_SECONDS = 5.0
LEASE_MS = 60_000
AT_ONCE = 50
STEPS = 4
REMEMBERED = 100_000
SEARCHED = 200
_logger = logging.getLogger(__name__)


class SecondLooks:
    """Schedules looks, and takes those that are due; `presence_ms`: how long presence may show a session as online that
    is gone. Any number of processes share them."""

    def __init__(
        self,
        *,
        pending: PendingNotifications,
        sources: Sources,
        audience: Audience,
        noting: Noting,
        presence_ms: int,
    ) -> None:
        self._pending = pending
        self._sources = sources
        self._audience = audience
        self._noting = noting
        self._presence_ms = presence_ms
        self._step_ms = max(1, presence_ms // STEPS)
        self._scheduled: LRUCache[str, int] = LRUCache(REMEMBERED)

    async def schedule_looks(self, firsts: Mapping[str, int], now: int) -> None:
        """Somebody was passed over for being online, in these conversations, from these messages on. Raises
        `Unavailable`."""
        # All of one step are due together, later than any of them needs: so one row is enough (rule 2).
        due = (now // self._step_ms + 1) * self._step_ms + self._presence_ms
        looks = [
            SecondLook(conversation, due, first)
            for conversation, first in firsts.items()
            if self._scheduled.get(conversation) != due
        ]
        if looks:
            await self._pending.schedule_looks(looks)
            for look in looks:
                self._scheduled[look.conversation] = due

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Take what is due until cancelled."""
        task_status.started()
        while True:
            await anyio.sleep(LOOK_SECONDS)
            try:
                while await self.take_looks():
                    pass
            except Unavailable as error:
                _logger.warning("users of edges that are gone are looked at later: %s", error.message)

    async def take_looks(self) -> int:
        """Take some looks that are due; how many. Raises `Unavailable`; then they are due again later."""
        now = self._sources.clock()
        looks = await self._pending.claim_looks(now, now + LEASE_MS, AT_ONCE)
        firsts: dict[str, int] = {}
        for look in looks:
            firsts[look.conversation] = min(look.first, firsts.get(look.conversation, look.first))
        for conversation, first in firsts.items():
            await self._look_again(conversation, first)
        if looks:
            await self._pending.settle_looks(looks)
        return len(looks)

    async def _look_again(self, conversation: str, first: int) -> None:
        page = await self._sources.history.read_page(conversation, before=None, after=None, limit=SEARCHED)
        messages = [each for each in reversed(page.messages) if each.seq >= first and each.text is not None]
        if not messages:
            return
        concerns = _make_concerns(conversation, messages)
        async with aclosing(self._audience.list_candidates([concerns])) as pages:
            async for candidates in pages:
                await self._noting.note_messages(await self._find_missed(candidates, messages))

    async def _find_missed(self, candidates: Sequence[Candidate], messages: Sequence[Message]) -> list[NotedMessages]:
        """What concerns those of these users who are gone (rule 3)."""
        online = await self._audience.find_online({each.user for each in candidates})
        gone = [each for each in candidates if each.user not in online]
        if not gone:
            return []
        wishes = await self._audience.find_wishes(gone, self._sources.clock())
        marks = await self._sources.history.find_read_marks([(each.user, each.concerns.conversation) for each in gone])
        found: list[NotedMessages] = []
        for each, wish in zip(gone, wishes, strict=True):
            conversation = each.concerns.conversation
            if wish is None or wish.level is not NotificationLevel.ALL:
                continue
            read = marks[each.user, conversation]
            unread = [message for message in messages if message.seq > read and message.ts >= wish.heard_from]
            concern = _make_concerns(conversation, unread).find_concern(each.user, wish.level, is_online=False)
            if concern is not None:
                found.append(concern)
        return found


def _make_concerns(conversation: str, messages: Collection[Message]) -> Concerns:
    return Concerns(conversation, [NewMessage(each.seq, each.sender, each.mentions) for each in messages])
