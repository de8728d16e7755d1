"""History in SQLite."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path

from chat.domain.epochs import Epoch
from chat.domain.models import Message
from chat.engines import deleted_conversations, epochs, history_changes, history_reads, history_search
from chat.engines.database import Database
from chat.errors import Fenced, Unavailable
from chat.ports.history import Change, ClientKey, FoundPage, MessagePlace, Page, PinnedMessage, Query, Reader, Summary

TIDY_EVERY = 256
_logger = logging.getLogger(__name__)


class SqliteHistory:
    """`chat.ports.history.History` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._untidy = 0
        self._looked_behind = False
        self._epoch: Epoch | None = None

    async def newest_seqs(self, conversations: Collection[str]) -> dict[str, int]:
        return await self._database.read(lambda connection: history_reads.newest_seqs(connection, conversations))

    async def apply_batch(self, messages: Sequence[Message], changes: Sequence[Change]) -> Sequence[bool]:
        def job(connection: sqlite3.Connection) -> list[bool]:
            if messages:
                history_changes.store(connection, messages)
            return [history_changes.change(connection, change) for change in changes]

        try:
            applied = await self._database.write(job)
        except Fenced:
            if not await self.clear():
                raise
            applied = await self._database.write(job)
        self._tidy(len(messages) + len(changes))
        self._look_behind()
        return applied

    async def find_by_client_ids(self, keys: Collection[ClientKey]) -> dict[ClientKey, Message]:
        return await self._database.read(lambda connection: history_reads.find_by_client_ids(connection, keys))

    async def get_message(self, conversation: str, seq: int) -> Message | None:
        return await self._database.read(lambda connection: history_reads.get_message(connection, conversation, seq))

    async def find_messages(self, places: Collection[MessagePlace]) -> dict[MessagePlace, Message]:
        return await self._database.read(lambda connection: history_reads.find_messages(connection, places))

    async def messages_since(
        self, conversation: str, since: int, *, limit: int, max_bytes: int
    ) -> Sequence[Message] | None:
        return await self._database.read(
            lambda connection: history_reads.messages_since(connection, conversation, since, limit, max_bytes)
        )

    async def read_page(self, conversation: str, *, before: int | None, after: int | None, limit: int) -> Page:
        return await self._database.read(
            lambda connection: history_reads.read_page(connection, conversation, before, after, limit)
        )

    async def find_seq_at(self, conversation: str, ts: int) -> int:
        return await self._database.read(lambda connection: history_reads.find_seq_at(connection, conversation, ts))

    async def summarize_conversations(self, user: str, conversations: Collection[str]) -> dict[str, Summary]:
        return await self._database.read(
            lambda connection: history_reads.summarize_conversations(connection, user, conversations)
        )

    async def list_dms(self, user: str) -> Sequence[str]:
        return await self._database.read(lambda connection: history_reads.list_dms(connection, user))

    async def read_marks(self, conversation: str) -> dict[str, int]:
        return await self._database.read(lambda connection: history_reads.read_marks(connection, conversation))

    async def find_read_marks(self, readers: Collection[Reader]) -> dict[Reader, int]:
        return await self._database.read(lambda connection: history_reads.find_read_marks(connection, readers))

    async def earlier_texts(self, conversation: str, seq: int) -> Sequence[tuple[int, str]]:
        return await self._database.read(lambda connection: history_reads.earlier_texts(connection, conversation, seq))

    async def list_pinned(self, conversation: str) -> Sequence[PinnedMessage]:
        return await self._database.read(lambda connection: history_reads.list_pinned(connection, conversation))

    async def search_messages(self, query: Query) -> FoundPage:
        self._look_behind()
        return await self._database.search(lambda connection: history_search.find(connection, query))

    async def read_epoch(self) -> Epoch:
        if self._epoch is None:
            self._epoch = await self._database.read(epochs.read_epoch)
        return self._epoch

    async def begin_epoch(self) -> Epoch:
        self._epoch = await self._database.write(epochs.begin_epoch)
        return self._epoch

    async def note_start(self, path: Path) -> None:
        """Notice whether the database, which is at `path`, was restored; see `epochs`. To be called once, first."""
        if await self._database.write(lambda connection: epochs.note_start(connection, path)):
            _logger.warning("%s is another file than the last time: clients will read history anew", path)

    async def clear(self) -> bool:
        """Clear away what is left of deleted rooms, which may be in the way; whether there was anything."""
        steps = 0
        while await self._database.write(deleted_conversations.clear_deleted):
            steps += 1
        return steps > 0

    def _tidy(self, written: int) -> None:
        """From time to time, have indexed what waits and cleared what is left; nobody waits for that to be done."""
        self._untidy += written
        if self._untidy >= TIDY_EVERY:
            self._untidy = 0
            self._submit_tidying()

    def _look_behind(self) -> None:
        """Once, have indexed what waits, if it is more than usual: everything, after an upgrade that empties the index.

        That happens in steps, and writes go on between them.
        """
        if not self._looked_behind:
            self._looked_behind = True
            with contextlib.suppress(Unavailable):
                self._database.submit(history_search.is_far_behind, self._go_on_tidying)

    def _submit_tidying(self) -> None:
        with contextlib.suppress(Unavailable):  # then the next time
            self._database.submit(_index_and_clear, self._go_on_tidying)

    def _go_on_tidying(self, far_behind: bool | None, _error: Exception | None) -> None:
        if far_behind:
            self._submit_tidying()


def _index_and_clear(connection: sqlite3.Connection) -> bool:
    """Whether so much is left that it should go on at once."""
    history_search.index_some(connection)
    deleted_conversations.clear_deleted(connection)
    return history_search.is_far_behind(connection)
