"""Presence on Redis: what each user's sessions add up to, changed and published by one script.

Rule 1: what others see of a user changes in one step with the sessions that it follows from, and each change is
  published once, on the user's presence channel, in that step. So processes need not agree on who publishes.
Rule 2: what others see rises at once, and falls after a departure only when the damping time is over.
Rule 3: a session that is not refreshed for two heartbeat intervals is over, whichever process opened it. Every process
  sweeps the queues of users to look at. One sweeper at a time claims a user; when it dies, its lease ends.
Rule 4: a user with sessions is in a queue. A change puts the user there after it took effect, in the same pipeline, and
  a sweeper takes out only users who have not changed since it claimed them. If Redis crashes between the two, the next
  refresh repairs it.

A Redis that was restarted empty knows nobody: each refresh enters its sessions again, and publishes them.
"""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from zlib import crc32

import anyio

from chat.adapters.redis.client import KeyCall, RedisClient
from chat.adapters.redis.scripts import CHANGE, CLAIM, LOOK, SETTLE
from chat.domain.ids import rfc3339
from chat.domain.models import PresenceState
from chat.errors import Unavailable
from chat.ports.presence import Seen
from chat.wire.events import PresenceEvent, encode
from chat.wire.relay import pack_event, presence_channel

LAST_SEEN_SECONDS = 30 * 24 * 3600.0
SWEEP_SECONDS = 0.5
_QUEUES = 16
_CLAIMS = 200
_LEASE_MS = 10_000
_RANKS = {PresenceState.OFFLINE: 0, PresenceState.AWAY: 1, PresenceState.ONLINE: 2}
_STATES = {str(rank).encode(): state for state, rank in _RANKS.items()}
_logger = logging.getLogger(__name__)


class RedisPresence:
    """Implements `chat.ports.presence.Presence`; made by `RedisPresence.open`, which runs its sweeper.

    `clock` gives milliseconds since the epoch and is what `last_seen` tells. Deadlines are by the server's clock, the
    same for all processes; `timer` (milliseconds) replaces it in tests. The last visit is remembered for
    `last_seen_s`.
    """

    def __init__(
        self,
        client: RedisClient,
        clock: Callable[[], int],
        heartbeat_s: float,
        damping_s: float,
        *,
        last_seen_s: float = LAST_SEEN_SECONDS,
        timer: Callable[[], int] | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._expiry = round(2000 * heartbeat_s)
        self._damping = round(1000 * damping_s)
        self._remembered = round(1000 * last_seen_s)
        self._timer = timer
        # In a cluster, the work of one queue is that of one node.
        self._queues = [
            client.key_name("presence", "queue", f"{{{n}}}") for n in range(_QUEUES if client.cluster else 1)
        ]
        self._publish = "SPUBLISH" if client.cluster else "PUBLISH"

    @classmethod
    @asynccontextmanager
    async def open(
        cls, client: RedisClient, clock: Callable[[], int], heartbeat_s: float, damping_s: float
    ) -> AsyncIterator[RedisPresence]:
        """A presence whose sweeper runs until the context is left."""
        presence = cls(client, clock, heartbeat_s, damping_s)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(presence.run_sweeper)
            yield presence
            tasks.cancel_scope.cancel()

    async def enter_session(self, user: str, session: str, state: PresenceState = PresenceState.ONLINE) -> None:
        """`get_states` shows the effect when this returns."""
        await self.refresh_sessions([(user, session, state)])

    async def leave_session(self, user: str, session: str) -> None:
        await self._client.run_calls(
            [self._call_change("leave", user, session), *self._call_looks([user], self._damping)]
        )

    async def refresh_sessions(self, sessions: Sequence[tuple[str, str, PresenceState]]) -> None:
        """One round trip for all of them; each user's are entered in one step."""
        users: dict[str, list[Any]] = {}
        for user, session, state in sessions:
            users.setdefault(user, []).extend((session, _RANKS[state]))
        calls = [self._call_change("enter", user, *entered) for user, entered in users.items()]
        await self._client.run_calls([*calls, *self._call_looks(users, self._expiry)])  # rule 4: in this order

    async def get_states(self, users: Collection[str]) -> dict[str, Seen]:
        wanted = list(users)
        found = await self._client.run_calls(
            [KeyCall("HMGET", self._key_of(user), ("shown", "ended")) for user in wanted]
        )
        return {user: _read_seen(*fields) for user, fields in zip(wanted, found, strict=True)}

    async def run_sweeper(self) -> None:
        """The sweeper: look at the users who are due, again and again, until cancelled."""
        failed = False
        while True:
            try:
                await self.sweep_due()
                failed = False
            except Unavailable as error:
                if not failed:
                    _logger.warning("presence cannot end sessions: %s", error)
                failed = True
            # Spread, so that edges that started together do not ask together for ever.
            await anyio.sleep(SWEEP_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - no secret

    async def sweep_due(self) -> None:
        """End the sessions that were not refreshed, and let states fall whose damping time is over: all that are due
        now."""
        queues = self._queues
        while queues:
            claims = await self._client.run_calls(
                [KeyCall(CLAIM, queue, (self._server_now(), _LEASE_MS, _CLAIMS)) for queue in queues]
            )
            claimed = dict(zip(queues, claims, strict=True))
            for queue, pairs in claimed.items():
                if pairs:
                    await self._look_at(queue, [user.decode() for user in pairs[::2]], pairs[1::2])
            queues = [queue for queue, pairs in claimed.items() if len(pairs) == 2 * _CLAIMS]

    async def _look_at(self, queue: str, users: Sequence[str], scores: Sequence[bytes]) -> None:
        looks = await self._client.run_calls([self._call_change("sweep", user) for user in users])
        settled: list[Any] = []
        for user, score, (look, _) in zip(users, scores, looks, strict=True):
            settled += (user, score, look)
        await self._client.run_calls([KeyCall(SETTLE, queue, settled)])

    def _call_change(self, what: str, user: str, *arguments: Any) -> KeyCall:
        ended = self._clock()
        common = (
            self._server_now(),
            what,
            self._channel_of(user),
            self._publish,
            ended,
            rfc3339(ended),
            self._expiry,
            self._damping,
            self._remembered,
            *_payloads(user),
        )
        return KeyCall(CHANGE, self._key_of(user), (*common, *arguments))

    def _call_looks(self, users: Iterable[str], after_ms: int) -> Iterable[KeyCall]:
        queues: dict[str, list[str]] = {}
        for user in users:
            queues.setdefault(self._queues[crc32(user.encode()) % len(self._queues)], []).append(user)
        return (KeyCall(LOOK, queue, (self._server_now(), after_ms, *those)) for queue, those in queues.items())

    def _server_now(self) -> int:
        return self._timer() if self._timer is not None else 0

    def _channel_of(self, user: str) -> str:
        return self._client.target.prefix + presence_channel(user)

    def _key_of(self, user: str) -> str:
        # The braces put the hash where the channel is.
        return self._client.key_name("presence", f"{{{self._channel_of(user)}}}")


def _payloads(user: str) -> list[bytes]:
    """What is published when others see a user offline, away and online; `@` stands for a time that Redis knows."""
    events = [
        PresenceEvent(user=user, state=PresenceState.OFFLINE, last_seen="@"),
        PresenceEvent(user=user, state=PresenceState.AWAY, last_seen=None),
        PresenceEvent(user=user, state=PresenceState.ONLINE, last_seen=None),
    ]
    return [pack_event(encode(event)) for event in events]


def _read_seen(shown: bytes | None, ended: bytes | None) -> Seen:
    state = _STATES.get(shown or b"", PresenceState.OFFLINE)
    return Seen(state, int(ended) if ended is not None and state is PresenceState.OFFLINE else None)
