"""The parts of notifications over the engines of a `World`: who decides, and what waits then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chat.domain.pending import PendingNotification
from chat.errors import Unavailable
from chat.ports.history import Change
from chat.ports.notifier import Notification, Notifier, Retraction
from chat.wire.notices import AnyNotice, decode_notices
from tests.support.world import World
from workers.announcement_facts import Sources
from workers.announcer import Announcer
from workers.known_rooms import KnownRooms
from workers.notices import NoticeWriter
from workers.notification import NotificationHandler
from workers.persistence import PersistenceHandler

FAR_MS = 10_000_000
LEASE_MS = 180_000


class RememberingLog:
    """`chat.ports.log.Log`, to which only notices are written: the test reads them."""

    def __init__(self) -> None:
        self.notices: list[Sequence[AnyNotice]] = []

    def produce(self, topic: str, key: str, value: bytes, ack: Any, headers: Any = ()) -> None:
        """See `Log.produce`."""
        assert topic == "notifications"
        self.notices.append(decode_notices(value))
        ack(None)

    async def append(self, topic: str, key: str, value: bytes, headers: Any = ()) -> None:
        """See `Log.append`."""
        self.produce(topic, key, value, lambda _: None, headers)


class RememberingChannel:
    """A channel that keeps what it was given; it fails so many times before."""

    def __init__(self, name: str = "test", failures: int = 0) -> None:
        self.name = name
        self.failures = failures
        self.notified: list[Notification] = []
        self.retracted: list[Retraction] = []

    async def notify(self, notifications: Sequence[Notification]) -> None:
        """See `Notifier.notify`."""
        self._fail()
        self.notified += notifications

    async def retract(self, retractions: Sequence[Retraction]) -> None:
        """See `Notifier.retract`."""
        self._fail()
        self.retracted += retractions

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable("the channel is down")

    @property
    def seen(self) -> list[tuple[str, int, int]]:
        """User, seq and count of what was announced."""
        return [(each.user, each.seq, each.count) for each in self.notified]


def make_sources(here: World, **replaced: Any) -> Sources:
    """What is asked when entries are due."""
    ports: dict[str, Any] = {
        "accounts": here.accounts,
        "rooms": here.rooms,
        "history": here.history,
        "presence": here.presence,
        "settings": here.notifications,
        "known_rooms": KnownRooms(here.rooms, clock=here.clock),
        "clock": here.clock,
    }
    return Sources(**{**ports, **replaced})


def make_handler(here: World, **replaced: Any) -> NotificationHandler:
    """The pool's handler. `replaced` are its own collaborators or sources that a test brings."""
    names = ("digest_after_ms", "linger_s", "presence_ms", "wake_announcer")
    own = {name: replaced.pop(name) for name in names if name in replaced}
    pending = replaced.pop("pending", here.pending)
    return NotificationHandler(pending=pending, sources=make_sources(here, **replaced), **own)


def make_announcer(here: World, *channels: Notifier, **replaced: Any) -> Announcer:
    """An announcer with these channels."""
    log = replaced.pop("log", here.log)
    pending = replaced.pop("pending", here.pending)
    return Announcer(pending=pending, sources=make_sources(here, **replaced), channels=channels, log=log)


def make_storing(here: World, log: Any = None, clock: Callable[[], int] | None = None) -> PersistenceHandler:
    """The persistence pool's handler, which writes notices."""
    notices = NoticeWriter(log or here.log, here.pending, clock=clock or here.clock)
    return PersistenceHandler(here.history, here.accounts, here.relay, notices=notices)


async def store_records(storing: PersistenceHandler, records: Sequence[Any]) -> None:
    """Store what was sent or changed, and write the notices of it."""
    last_step = await storing.handle_records(records)
    assert last_step is not None
    await last_step()


async def store_and_decide(here: World, records: Sequence[Any], **replaced: Any) -> None:
    """Store what was sent or changed, and decide about the notices of it."""
    log = RememberingLog()
    await store_records(make_storing(here, log, replaced.get("clock")), records)
    handler = replaced.pop("handler", None) or make_handler(here, **replaced)
    await handler.handle_records(log.notices)


async def apply(here: World, *changes: Change) -> None:
    """Change what is stored, without a notice."""
    assert all(await here.history.apply_batch([], changes))


async def list_waiting(here: World) -> dict[tuple[str, str], PendingNotification]:
    """All that waits, however long, by user and conversation. All of it is due then."""
    now = here.clock()
    found = await here.pending.claim_due(now + FAR_MS, now, 100_000)
    return {(entry.user, entry.conversation): entry for entry in found}
