"""Blocks: who is kept out, until when, and how everyone is notified.

Rule 1: the store of cases says who is blocked. The mark in the account, which every log-in reads, follows it; it is
corrected at the start and after every change.
Rule 2: a change is durable before it is announced.
Rule 3: a timed block ends by itself, soon after its time, whichever process looks first; a block that was set
meanwhile stays.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import aclosing, asynccontextmanager

import anyio
import msgspec

from chat.case_announcements import CaseAnnouncer
from chat.domain.cases import POLICY, AuditEntry, CaseAction
from chat.domain.ids import new_id
from chat.domain.moderation import Block, BlockChange, is_in_force
from chat.errors import NotFound, Unavailable
from chat.ports.accounts import Accounts
from chat.ports.authority import Revocation, announcement
from chat.ports.cases import Cases
from chat.ports.relay import Listener, Publication, Relay
from chat.wire import blocks as wire
from chat.wire.close import CloseCode
from services.common.announcements import publish_with_retries
from services.common.shielding import shield_change

SWEEP_SECONDS = 30.0
AT_ONCE = 100
_logger = logging.getLogger(__name__)


class Blocks:
    """Sets, ends and announces blocks. `run` ends those whose time is over. `clock` gives milliseconds.

    `moderators` are the names that the operator lists; they and those with a role in the instance get `block` events.
    """

    def __init__(
        self,
        cases: Cases,
        accounts: Accounts,
        relay: Relay,
        clock: Callable[[], int],
        moderators: Collection[str] = (),
    ) -> None:
        self._cases = cases
        self._accounts = accounts
        self._relay = relay
        self._announcer = CaseAnnouncer(accounts, relay, moderators)
        self._clock = clock
        self._lock = anyio.Lock()
        self._changed = anyio.Event()

    async def set_block(self, block: Block) -> None:
        """Keep a user out. The block is durable and announced to the edges when this returns. Raises `NotFound`."""
        if await self._accounts.get_user(block.user) is None:
            raise NotFound("there is no such user")
        entry = self._make_entry(CaseAction.BLOCK, block.user, block.by, block.reason, until=block.until)
        with shield_change():
            async with self._lock:
                await self._cases.set_block(block, entry)  # rule 2: durable first
                await self._mark_account(block.user)
                await self._accounts.end_families(block.user)
                await self._announce_block(block)
        self._changed.set()

    async def end_block(self, user: str, by: str, reason: str, *, due: int | None = None) -> bool:
        """Let a user in; with `due`, only if the block ends then or before. Whether there was such a block."""
        with shield_change():
            async with self._lock:
                entry = self._make_entry(CaseAction.UNBLOCK, user, by, reason)
                ended = await self._cases.end_block(user, entry, due=due)
                await self._mark_account(user)
                if ended:
                    await self._announce_changes([BlockChange(user=user, block=None)])
                    await self._announcer.announce_block(user, blocked=False)
        return ended

    async def list_blocks(self, after: str, limit: int) -> Sequence[Block]:
        """Blocks that are in force now, by user id."""
        found: list[Block] = []
        now = self._clock()
        while len(found) < limit:
            page = await self._cases.list_blocks(after, limit)
            found += [block for block in page if is_in_force(block, now)]
            if len(page) < limit:
                break
            after = page[-1].user
        return found[:limit]

    async def run(self) -> None:
        """Correct the accounts' marks, and then end blocks when their time is over; until cancelled."""
        recovered = False
        while True:
            self._changed = anyio.Event()
            pause = SWEEP_SECONDS
            try:
                if not recovered:
                    await self._mark_accounts()
                    recovered = True
                pause = await self.end_due_blocks()
            except Unavailable as error:
                _logger.warning("blocks cannot be ended now, and will be later: %s", error.message)
                pause = 1.0
            with anyio.move_on_after(pause):
                await self._changed.wait()

    async def end_due_blocks(self) -> float:
        """End what is due (rule 3), and return after how many seconds to look again."""
        for block in await self._cases.list_due_blocks(self._clock(), AT_ONCE):
            await self.end_block(block.user, POLICY, "its time is over", due=self._clock())
        following = await self._cases.next_due()
        if following is None:
            return SWEEP_SECONDS
        return min(SWEEP_SECONDS, max(0.0, (following - self._clock()) / 1000) + 0.001)

    @asynccontextmanager
    async def watch_changes(self) -> AsyncIterator[AsyncIterator[BlockChange]]:
        """Yield the changes of blocks from now on, of every process; they raise `Unavailable` after a loss."""
        async with self._relay.open_listener() as listener:
            await listener.subscribe([wire.CHANNEL])
            async with aclosing(_read_changes(listener)) as changes:
                yield changes

    async def _mark_accounts(self) -> None:
        """Mark the accounts of blocked users whose mark a crash prevented (rule 1).

        A mark without a block, as an older version could set it, stays.
        """
        after = ""
        while page := await self._cases.list_blocks(after, AT_ONCE):
            users = await self._accounts.get_users([block.user for block in page])
            for block in page:
                user = users.get(block.user)
                if user is not None and not user.blocked:
                    await self._mark_account(block.user)
            after = page[-1].user

    async def _mark_account(self, user: str) -> None:
        """Mark the account as the store of cases says (rule 1).

        Another process may change the block between the read and the write; so the block is read again after it.
        """
        while True:
            blocked = await self._cases.get_block(user) is not None
            try:
                await self._accounts.set_blocked(user, blocked)
            except NotFound:
                return
            if (await self._cases.get_block(user) is not None) == blocked:
                return

    async def _announce_block(self, block: Block) -> None:
        revocation = Revocation(user=block.user, family=None, code=CloseCode.BLOCKED, reason=block.reason)
        await publish_with_retries(
            self._relay, [*announcement(revocation), _pack_change(BlockChange(user=block.user, block=block))]
        )
        await self._announcer.announce_block(block.user, blocked=True)

    async def _announce_changes(self, changes: Sequence[BlockChange]) -> None:
        await publish_with_retries(self._relay, [_pack_change(change) for change in changes])

    def _make_entry(
        self, action: CaseAction, user: str, by: str, reason: str, *, until: int | None = None
    ) -> AuditEntry:
        return AuditEntry(id=new_id(), at=self._clock(), by=by, action=action, user=user, reason=reason, until=until)


def _pack_change(change: BlockChange) -> Publication:
    return Publication(wire.CHANNEL, wire.encode(change))


async def _read_changes(listener: Listener) -> AsyncGenerator[BlockChange, None]:
    while True:
        for delivery in await listener.receive():
            if delivery.payload is None:
                raise Unavailable("changes of blocks may have been missed; watch again, and read the blocks")
            try:
                change = wire.decode_block_change(delivery.payload)
            except msgspec.MsgspecError:
                continue  # of a newer version
            yield change
