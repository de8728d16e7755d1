"""The log-ins that ended lately, whose access tokens are refused although they have not expired.

Each process keeps them in memory, so a token is checked without a call.

Rule 1: what ends a log-in is stored first and announced then, so a process that starts reads what it did not hear.
Rule 2: a process subscribes to the announcements before it reads the store, so it misses nothing in between.
Rule 3: when announcements may have been lost, the store is read again; and once in a while without a reason, for what
    was stored by a process that has no relay, such as a command of the operator.
Rule 4: a log-in is kept for the life of an access token, since none of its tokens lives longer; and at most `MOST` are
    kept. Beyond that the oldest are forgotten, whose tokens are nearest to their end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import anyio
from anyio.abc import TaskStatus
from cachetools import TTLCache

from chat.concurrency import Backoff
from chat.domain.ids import now_ms
from chat.errors import RookeryError
from chat.ports.accounts import Accounts
from chat.ports.authority import unpack_revocation
from chat.ports.relay import Listener, Relay
from chat.wire.relay import REVOCATIONS

MOST = 100_000
RELOAD_SECONDS = 30.0
_OVERLAP_MS = 60_000
_BACKOFF = Backoff(base=0.1, cap=5.0)

logger = logging.getLogger("rookery.tokens")


class EndedLogIns:
    """A set of refresh-token families. `access_seconds` is the longest life of an access token."""

    def __init__(self, access_seconds: int, *, clock: Callable[[], int] = now_ms, most: int = MOST) -> None:
        self._life_ms = access_seconds * 1000
        self._clock = clock
        self._most = most
        self._families: TTLCache[str, None] = TTLCache(most, ttl=self._life_ms, timer=clock)
        self._loaded = 0

    def __contains__(self, family: str) -> bool:
        """Whether the log-in has ended."""
        return family in self._families

    def __len__(self) -> int:
        """How many log-ins are kept."""
        return len(self._families)

    def add_families(self, families: Iterable[str]) -> None:
        """Refuse the tokens of these log-ins from now on."""
        for family in families:
            self._families[family] = None

    async def run(
        self,
        accounts: Accounts,
        relay: Relay,
        *,
        reload_s: float = RELOAD_SECONDS,
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Follow the log-ins that end, for ever.

        It has started when the store was read. An error before that is raised; a later one is logged, and the store is
        read again when that is over.
        """
        started = False
        delays = _BACKOFF.delays()
        while True:
            try:
                async with relay.open_listener() as listener:
                    await listener.subscribe([REVOCATIONS])  # rule 2
                    await self._load(accounts)
                    if not started:
                        task_status.started()
                    started = True
                    delays.reset()
                    await self._follow(listener, accounts, reload_s)
            except RookeryError as error:
                if not started:
                    raise
                logger.warning("ended log-ins are not followed now: %s", error.message)
            await anyio.sleep(delays.next_delay())

    async def _load(self, accounts: Accounts) -> None:
        now = self._clock()
        since = max(now - self._life_ms, self._loaded - _OVERLAP_MS)  # other machines store by their own clocks
        self.add_families(await accounts.list_ended_families(since, self._most))
        self._loaded = now

    async def _follow(self, listener: Listener, accounts: Accounts, reload_s: float) -> None:
        while True:
            payloads: list[bytes | None] = [None]
            with anyio.move_on_after(reload_s):
                payloads = [delivery.payload for delivery in await listener.receive()]
            revoked = [unpack_revocation(payload) for payload in payloads if payload is not None]
            self.add_families(each.family for each in revoked if each is not None and each.family is not None)
            # Rule 3. An announcement for all log-ins of a user names none of them.
            if None in payloads or any(each is not None and each.family is None for each in revoked):
                await self._load(accounts)
