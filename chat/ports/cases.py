"""What moderation keeps: blocks, removals, cases with their reports and appeals, and the audit log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from chat.domain.cases import AuditEntry, Case, CaseState, Removal, Report, Tally
from chat.domain.moderation import Block, Strictness, Verdict


class Cases(Protocol):
    """Every write is atomic, and durable when it returns. A write that takes an `AuditEntry` stores it with the change,
    both or neither, and not when it changes nothing. What becomes of a case is decided by `chat.domain.cases`.
    `Unavailable` may be raised by all."""

    async def record_verdict(self, case: Case, entry: AuditEntry) -> tuple[Case, bool]:
        """Add a case that a rule's judgement began, or put the judgement of a newer `revision` into the case of this
        subject, whose reports and appeal stay. The case as it is now, and whether this changed it."""
        ...

    async def add_report(self, case: Case, report: Report, entry: AuditEntry) -> tuple[Case, bool]:
        """Add a report to the case of this subject, which is made if there is none; whether it was added.

        A person reports a subject once; the first `REPORTS_KEPT` are kept. A case that was decided stays so.
        """
        ...

    async def add_appeal(self, case: Case, text: str, entry: AuditEntry) -> Case:
        """Note an appeal in the case of this subject, which is made if there is none, and open it again.

        Raises `Conflict` when there was an appeal before.
        """
        ...

    async def record_decision(self, case: str, verdict: Verdict, entry: AuditEntry) -> Case:
        """Note what `entry.by` decided at `entry.at`. The case as it was *before*. Raises `NotFound`."""
        ...

    async def get_case(self, case: str) -> Case | None:
        """By its id."""
        ...

    async def find_case(self, subject: str) -> Case | None: ...

    async def list_cases(self, state: CaseState, after: str | None, limit: int) -> Sequence[Case]:
        """Cases in this state by `opened` and id, the oldest first, those after the case with this id.

        Raises `NotFound` when there is no such case.
        """
        ...

    async def count_removals(self, removals: Sequence[Removal]) -> None:
        """Add removals; one that is there already counts once, and stays forgiven if it was."""
        ...

    async def tally_removals(self, users: Collection[str], since: int) -> dict[str, Tally]:
        """The removals of each of these users that were written after `since`, and are not forgiven."""
        ...

    async def forgive_removals(self, user: str, client_id: str) -> None:
        """The removals of this message do not count any more."""
        ...

    async def set_block(self, block: Block, entry: AuditEntry) -> None:
        """Add a block, or replace the user's."""
        ...

    async def end_block(self, user: str, entry: AuditEntry, *, due: int | None = None) -> bool:
        """Remove the user's block; with `due`, only one that ends at this time or before. Whether it did."""
        ...

    async def get_block(self, user: str) -> Block | None:
        """The user's block, due or not."""
        ...

    async def list_blocks(self, after: str, limit: int) -> Sequence[Block]:
        """Blocks by user id, those after the given one, due or not."""
        ...

    async def list_due_blocks(self, until: int, limit: int) -> Sequence[Block]:
        """Timed blocks that end at this time or before, the earliest first."""
        ...

    async def next_due(self) -> int | None:
        """When the first timed block ends; None when there is none."""
        ...

    async def set_strictness(self, conversation: str, strictness: Strictness, entry: AuditEntry) -> None:
        """How much a conversation bears."""
        ...

    async def get_strictness(self, conversations: Collection[str]) -> dict[str, Strictness]:
        """Of those for which it was set."""
        ...

    async def set_held(self, conversation: str, held: bool, entry: AuditEntry) -> None:
        """Whether messages of this conversation are held back until their verdict."""
        ...

    async def held_conversations(self, conversations: Collection[str]) -> set[str]:
        """Those whose messages are held back."""
        ...

    async def add_audit_entry(self, entry: AuditEntry) -> None:
        """Note what is done outside of this store."""
        ...

    async def list_audit_entries(
        self, before: str | None, limit: int, *, user: str | None = None
    ) -> Sequence[AuditEntry]:
        """Entries by `at` and id, the newest first, those before the entry with this id; of one user, or of all.

        Raises `NotFound` when there is no such entry.
        """
        ...
