"""What a process of a run of notifications sees of its engines: each call may fail, take long, or be its last."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from anyio.lowlevel import checkpoint

from chat.domain.models import PresenceState
from chat.domain.pending import NotedMessages, PendingNotification, Settlement
from chat.engines.database import Database
from chat.engines.pending import SqlitePendingNotifications
from chat.ports.notifier import Notification, Retraction
from chat.ports.pending import ReadMark, SecondLook
from chat.ports.presence import Seen
from chat.ports.relay import Publication
from tests.simulation.calls import call_engine
from tests.simulation.faults import Process
from tests.simulation.notified import NotifiedLedger


class SharedPresence:
    """Who is online, for all processes. The users of an edge that died are shown as online until their sessions expire;
    `now` is in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.states: dict[str, PresenceState] = {}
        self._now = now
        self._expire: dict[str, float] = {}

    def lose_edge(self, user: str, seconds: float) -> None:
        """The edge of the user died: the sessions expire after so many seconds."""
        self.states[user] = PresenceState.OFFLINE
        self._expire[user] = self._now() + seconds

    def state_of(self, user: str) -> PresenceState:
        """What presence shows."""
        if self._now() < self._expire.get(user, 0.0):
            return PresenceState.ONLINE
        return self.states.get(user, PresenceState.OFFLINE)


class ProcessPresence:
    """`chat.ports.presence.Presence`, of which only `get_states` is asked."""

    def __init__(self, process: Process, shared: SharedPresence) -> None:
        self._process = process
        self._shared = shared

    async def get_states(self, users: Collection[str]) -> dict[str, Seen]:
        """See `Presence.get_states`."""

        async def read() -> dict[str, Seen]:
            return {user: Seen(self._shared.state_of(user)) for user in users}

        return await call_engine(self._process, "presence", read)


class ProcessPending(SqlitePendingNotifications):
    """`chat.ports.pending.PendingNotifications`."""

    def __init__(self, process: Process, database: Database) -> None:
        super().__init__(database)
        self._process = process

    async def note_messages(self, noted: Sequence[NotedMessages], now: int, *, digest_due: int | None = None) -> int:
        note = super().note_messages
        return await call_engine(self._process, "note", lambda: note(noted, now, digest_due=digest_due))

    async def note_reads(self, marks: Sequence[ReadMark], now: int) -> None:
        note = super().note_reads
        await call_engine(self._process, "note", lambda: note(marks, now))

    async def note_withdrawal(self, conversation: str, seq: int, now: int) -> None:
        note = super().note_withdrawal
        await call_engine(self._process, "note", lambda: note(conversation, seq, now))

    async def claim_due(self, now: int, until: int, limit: int) -> Sequence[PendingNotification]:
        claim = super().claim_due
        return await call_engine(self._process, "claim", lambda: claim(now, until, limit))

    async def settle_entries(self, settlements: Sequence[Settlement]) -> None:
        settle = super().settle_entries
        await call_engine(self._process, "settle", lambda: settle(settlements))

    async def schedule_looks(self, looks: Sequence[SecondLook]) -> None:
        schedule = super().schedule_looks
        await call_engine(self._process, "note", lambda: schedule(looks))

    async def claim_looks(self, now: int, until: int, limit: int) -> Sequence[SecondLook]:
        claim = super().claim_looks
        return await call_engine(self._process, "claim", lambda: claim(now, until, limit))

    async def settle_looks(self, looks: Sequence[SecondLook]) -> None:
        settle = super().settle_looks
        await call_engine(self._process, "settle", lambda: settle(looks))


class ProcessChannel:
    """`chat.ports.notifier.Notifier`: devices show what is announced at once."""

    name = "devices"

    def __init__(self, process: Process, ledger: NotifiedLedger) -> None:
        self._process = process
        self._ledger = ledger

    async def notify(self, notifications: Sequence[Notification]) -> None:
        """See `Notifier.notify`."""

        async def show() -> None:
            self._ledger.note_announced(notifications)

        await call_engine(self._process, "notify", show)

    async def retract(self, retractions: Sequence[Retraction]) -> None:
        """See `Notifier.retract`."""
        await call_engine(self._process, "notify", checkpoint)


class QuietRelay:
    """A relay without edges."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def publish(self, publications: Sequence[Publication]) -> None:
        """See `Relay.publish`."""
        await call_engine(self._process, "publish", checkpoint)
