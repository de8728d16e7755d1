"""The moderation service: rules, cases and blocks behind `chat.ports.moderation.Moderation`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager

import anyio
from anyio.abc import TaskStatus
from msgspec.structs import replace

from chat.domain.cases import POLICY, Removal, Tally
from chat.domain.ids import now_ms
from chat.domain.moderation import Block, BlockChange, Content, Finding, Verdict, choose_block
from chat.engines.executor import Executor
from chat.errors import Invalid
from chat.ports.accounts import Accounts
from chat.ports.cases import Cases
from chat.ports.relay import Relay
from services.moderation.blocks import Blocks
from services.moderation.checker import Checker
from services.moderation.rules import Rules

REASON_LENGTH = 500
BLOCKS_AT_ONCE = 1000
_WITHDRAWN = (Verdict.REMOVE, Verdict.BLOCK)


class ModerationService:
    """Implements the port. `run` reloads the rules and ends timed blocks; one a process. `clock` is in milliseconds.

    Removals are counted when a check finds them, durably and once for each text. When they reach a step of the policy,
    the finding says `block` instead of `remove`.
    """

    def __init__(
        self,
        rules: Rules,
        cases: Cases,
        accounts: Accounts,
        relay: Relay,
        *,
        clock: Callable[[], int] = now_ms,
        executor: Executor | None = None,
        moderators: Collection[str] = (),
    ) -> None:
        self._rules = rules
        self._cases = cases
        self._checker = Checker(rules, executor=executor)
        self._blocks = Blocks(cases, accounts, relay, clock, moderators)
        self._clock = clock

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._rules.run)
            tasks.start_soon(self._blocks.run)
            task_status.started()

    async def check_contents(self, contents: Sequence[Content]) -> Sequence[Finding]:
        findings = await self._checker.check_contents(contents)
        removed = [index for index, finding in enumerate(findings) if finding.verdict in _WITHDRAWN]
        if removed:
            await self._cases.count_removals([_make_removal(contents[index], findings[index]) for index in removed])
            tallies = await self._tally_removals({contents[index].sender for index in removed})
            for index in removed:
                if self._rules.current.policy.leads_to_block(tallies[contents[index].sender]):
                    findings[index] = replace(findings[index], verdict=Verdict.BLOCK)
        return findings

    async def block_user(self, user: str, *, by: str, reason: str, seconds: int | None) -> Block:
        if len(reason) > REASON_LENGTH:
            raise Invalid(f"a reason has at most {REASON_LENGTH} characters", field="reason")
        if seconds is not None and seconds < 1 and by != POLICY:
            raise Invalid("a block lasts at least a second, or for ever without `seconds`", field="seconds")
        known = await self._cases.get_block(user) if by == POLICY else None
        if by == POLICY:
            seconds = self._rules.current.policy.block_seconds((await self._tally_removals({user}))[user])
        now = self._clock()
        until = None if seconds is None else now + seconds * 1000
        block = Block(user=user, by=by, reason=reason, since=now, until=until)
        # A known block that stays is announced again: who asked for it may not have heard that it took effect.
        block = choose_block(known, block, now)
        await self._blocks.set_block(block)
        return block

    async def unblock_user(self, user: str, *, by: str, reason: str = "") -> bool:
        return await self._blocks.end_block(user, by, reason)

    async def list_blocks(self, after: str, limit: int) -> Sequence[Block]:
        if not 1 <= limit <= BLOCKS_AT_ONCE:
            raise Invalid(f"ask for 1 to {BLOCKS_AT_ONCE} blocks at once", field="limit")
        return await self._blocks.list_blocks(after, limit)

    def watch_blocks(self) -> AbstractAsyncContextManager[AsyncIterator[BlockChange]]:
        return self._blocks.watch_changes()

    async def _tally_removals(self, users: set[str]) -> dict[str, Tally]:
        since = self._clock() - self._rules.current.policy.window_s * 1000
        return await self._cases.tally_removals(users, since)


def _make_removal(content: Content, finding: Finding) -> Removal:
    return Removal(
        user=content.sender,
        client_id=content.client_id,
        revision=content.revision,
        at=content.ts,
        blocking=finding.verdict is Verdict.BLOCK,
    )
