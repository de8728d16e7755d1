"""How an administrator's tool reaches the server that has the same database open.

The tool writes its publications into the database. The server looks there every second, and publishes them on its own
relay, so open sessions follow as they do when the change is made over REST.

Rule 1: a server publishes what came after its start; before, it has read the present state anyway.
Rule 2: publications are kept for an hour. A server that hangs for longer has lost all its sessions.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import anyio

from chat.domain.ids import now_ms
from chat.engines.database import Database
from chat.engines.relay import MemoryRelay
from chat.errors import RookeryError
from chat.ports.relay import Publication, Relay

LOOK_SECONDS = 1.0
KEPT_MS = 3600 * 1000
_AT_ONCE = 500
_logger = logging.getLogger(__name__)


class AnnouncingRelay(MemoryRelay):
    """The relay of a tool: what it publishes also reaches the server, within about a second.

    `publish` returns when the publications are durable in the database.
    """

    def __init__(self, database: Database, *, clock: Callable[[], int] = now_ms) -> None:
        super().__init__()
        self._database = database
        self._clock = clock

    async def publish(self, publications: Sequence[Publication]) -> None:
        await super().publish(publications)
        now = self._clock()
        rows = [(now, each.channel, each.payload) for each in publications]
        await self._database.write(lambda connection: _add_rows(connection, rows, now - KEPT_MS))


@asynccontextmanager
async def follow_announcements(database: Database, relay: Relay) -> AsyncIterator[None]:
    """Publish on this relay what tools announce from now on, while the context lasts."""
    last = await database.read(_find_last)  # rule 1
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_publish_announcements, database, relay, last)
        yield
        tasks.cancel_scope.cancel()


async def _publish_announcements(database: Database, relay: Relay, last: int) -> None:
    while True:
        await anyio.sleep(LOOK_SECONDS)
        try:
            while rows := await database.read(partial(_list_rows, last=last)):
                await relay.publish([Publication(channel, payload) for _, channel, payload in rows])
                last = rows[-1][0]
        except RookeryError as error:
            _logger.warning("the announcements of tools cannot be read, and will be later: %s", error.message)


def _find_last(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'announcements'").fetchone()
    return int(row[0]) if row else 0


def _list_rows(connection: sqlite3.Connection, last: int) -> list[tuple[int, str, bytes]]:
    return connection.execute(
        "SELECT key, channel, payload FROM announcements WHERE key > ? ORDER BY key LIMIT ?", (last, _AT_ONCE)
    ).fetchall()


def _add_rows(connection: sqlite3.Connection, rows: Sequence[tuple[int, str, bytes]], before: int) -> None:
    connection.execute("DELETE FROM announcements WHERE at < ?", (before,))  # rule 2
    connection.executemany("INSERT INTO announcements (at, channel, payload) VALUES (?, ?, ?)", rows)
