"""The committed offsets of consumer groups on their way to the disk: gathered, and written within 200 ms.

Nobody waits for them. They gather for a half of that time, and for the other half they wait for a commit that begins
for something else: a commit of their own costs as much as one that carries a message."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence

import anyio
import anyio.lowlevel

from chat.concurrency import AutoResetEvent
from chat.engines.database import Database
from chat.engines.log_groups import Assignment
from chat.engines.log_rows import Offset, save_offsets, save_streams
from chat.engines.log_streams import Catalogue, LogStream
from chat.errors import Unavailable

INTERVAL_SECONDS = 0.1
LINGER_SECONDS = 0.1
_logger = logging.getLogger(__name__)


class OffsetKeeper:
    """Remembers which assignments moved, and writes their committed offsets. What is written never runs ahead of what
    is durable: it goes through the same database, after the records."""

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        self._database = database
        self._catalogue = catalogue
        self._moved: dict[Assignment, None] = {}
        self._moving = AutoResetEvent()

    def note_progress(self, assignment: Assignment) -> None:
        """The assignment's committed offset changed."""
        self._moved[assignment] = None
        self._moving.set()

    async def run(self) -> None:
        """The background task."""
        while True:
            await self._moving.wait()
            await anyio.sleep(INTERVAL_SECONDS)
            try:
                await self.write_offsets(LINGER_SECONDS)
            except Unavailable as error:
                _logger.warning("the offsets of consumers are not written yet: %s", error)

    async def write_offsets(self, linger_s: float = 0.0) -> None:
        """Write what moved; return when it is durable. Failed or cancelled, it is written the next time.

        It waits up to `linger_s` seconds for a commit that begins anyway: alone, it would cost one for nobody's sake.
        """
        # Taken before the write, and put back if it fails: what moves meanwhile is written the next time.
        moved, self._moved = self._moved, {}
        self._moving.clear()
        if not moved:
            await anyio.lowlevel.checkpoint()
            return
        unsaved = self._catalogue.unsaved[:]
        offsets = [(assignment.group.name, assignment.stream.id, assignment.committed) for assignment in moved]
        try:
            await self._database.write(
                lambda connection: _save_progress(connection, unsaved, offsets), linger_s=linger_s
            )
        except BaseException:
            for assignment in moved:
                self.note_progress(assignment)
            raise
        self._catalogue.note_saved(unsaved)


def _save_progress(connection: sqlite3.Connection, streams: Sequence[LogStream], offsets: Sequence[Offset]) -> None:
    save_streams(connection, streams)
    save_offsets(connection, offsets)
