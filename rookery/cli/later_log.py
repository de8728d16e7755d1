"""A log that a role can start without: the auth service only asks for mails through it, and logs users in while the log
is down.

Rule 1: the log is opened in the background, again and again until it answers; what is appended until then is refused
  with `Unavailable`, as by a log that does not answer.
Rule 2: it has engines of its own, which open and close in the task that runs it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio

from chat.assembly import Engines
from chat.concurrency import Backoff
from chat.errors import Unavailable
from chat.ports.log import Ack, Consumer, Log
from chat.settings import Settings

_RETRIES = Backoff(base=1.0, cap=15.0, jitter=0.5)
_logger = logging.getLogger(__name__)


class LaterLog:
    """Implements `chat.ports.log.Log` with the log that `run` opens."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._log: Log | None = None

    async def run(self) -> None:
        """Open the log (rule 1), and keep it open until cancelled."""
        delays = _RETRIES.delays()
        while True:
            try:
                async with Engines.open(self._settings) as engines:  # rule 2
                    self._log = await engines.open_log()
                    await anyio.sleep_forever()
            except Unavailable as error:
                _logger.warning("the log cannot be opened yet, so no mails are asked for: %s", error.message)
            finally:
                self._log = None
            await anyio.sleep(delays.next_delay())

    def produce(
        self, topic: str, key: str, value: bytes, ack: Ack, headers: tuple[tuple[str, bytes], ...] = ()
    ) -> None:
        self._require_log().produce(topic, key, value, ack, headers)

    async def append(self, topic: str, key: str, value: bytes, headers: tuple[tuple[str, bytes], ...] = ()) -> None:
        await self._require_log().append(topic, key, value, headers)

    def join_group(self, group: str, topics: Sequence[str]) -> AbstractAsyncContextManager[Consumer]:
        return self._require_log().join_group(group, topics)

    async def check_health(self) -> None:
        await self._require_log().check_health()

    def _require_log(self) -> Log:
        if self._log is None:
            raise Unavailable("mails cannot be asked for now; try again in a moment")
        return self._log


@asynccontextmanager
async def open_later_log(settings: Settings) -> AsyncIterator[LaterLog]:
    """A log that opens when it can, for the time of the context."""
    log = LaterLog(settings)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(log.run)
        yield log
        tasks.cancel_scope.cancel()
