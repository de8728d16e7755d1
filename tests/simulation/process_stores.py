"""History, accounts, rooms and presence as a process reaches them: see `tests.simulation.calls`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from anyio.lowlevel import checkpoint

from chat.domain.epochs import Epoch
from chat.domain.models import Message, PresenceState, Role, User
from chat.domain.privacy import AddedBy
from chat.engines.accounts import SqliteAccounts
from chat.engines.database import Database
from chat.engines.rooms import SqliteRooms
from chat.ports.history import (
    Change,
    ClientKey,
    FoundPage,
    History,
    MessagePlace,
    Page,
    PinnedMessage,
    Query,
    Reader,
    Summary,
)
from chat.ports.presence import Seen
from tests.simulation.calls import call_engine
from tests.simulation.faults import Process


class ProcessHistory:
    """`chat.ports.history.History`. `stored` is called with every message that this process stored."""

    def __init__(
        self, process: Process, history: History, stored: Callable[[Process, Sequence[Message]], None]
    ) -> None:
        self._process = process
        self._history = history
        self._stored = stored

    async def newest_seqs(self, conversations: Collection[str]) -> dict[str, int]:
        return await call_engine(self._process, "newest", lambda: self._history.newest_seqs(conversations))

    async def apply_batch(self, messages: Sequence[Message], changes: Sequence[Change]) -> Sequence[bool]:
        return await call_engine(self._process, "apply", lambda: self._apply(messages, changes))

    async def _apply(self, messages: Sequence[Message], changes: Sequence[Change]) -> Sequence[bool]:
        applied = await self._history.apply_batch(messages, changes)
        self._stored(self._process, messages)
        return applied

    async def find_by_client_ids(self, keys: Collection[ClientKey]) -> dict[ClientKey, Message]:
        return await call_engine(self._process, "known", lambda: self._history.find_by_client_ids(keys))

    async def read_epoch(self) -> Epoch:
        return await self._history.read_epoch()

    async def begin_epoch(self) -> Epoch:
        return await self._history.begin_epoch()

    async def get_message(self, conversation: str, seq: int) -> Message | None:
        return await call_engine(self._process, "get", lambda: self._history.get_message(conversation, seq))

    async def find_messages(self, places: Collection[MessagePlace]) -> dict[MessagePlace, Message]:
        return await call_engine(self._process, "find", lambda: self._history.find_messages(places))

    async def messages_since(
        self, conversation: str, since: int, *, limit: int, max_bytes: int
    ) -> Sequence[Message] | None:
        return await call_engine(
            self._process,
            "since",
            lambda: self._history.messages_since(conversation, since, limit=limit, max_bytes=max_bytes),
        )

    async def read_page(self, conversation: str, *, before: int | None, after: int | None, limit: int) -> Page:
        return await call_engine(
            self._process,
            "page",
            lambda: self._history.read_page(conversation, before=before, after=after, limit=limit),
        )

    async def list_pinned(self, conversation: str) -> Sequence[PinnedMessage]:
        return await call_engine(self._process, "pinned", lambda: self._history.list_pinned(conversation))

    async def find_seq_at(self, conversation: str, ts: int) -> int:
        return await self._history.find_seq_at(conversation, ts)

    async def summarize_conversations(self, user: str, conversations: Collection[str]) -> dict[str, Summary]:
        return await self._history.summarize_conversations(user, conversations)

    async def list_dms(self, user: str) -> Sequence[str]:
        return await self._history.list_dms(user)

    async def read_marks(self, conversation: str) -> dict[str, int]:
        return await self._history.read_marks(conversation)

    async def find_read_marks(self, readers: Collection[Reader]) -> dict[Reader, int]:
        return await call_engine(self._process, "marks", lambda: self._history.find_read_marks(readers))

    async def earlier_texts(self, conversation: str, seq: int) -> Sequence[tuple[int, str]]:
        return await self._history.earlier_texts(conversation, seq)

    async def search_messages(self, query: Query) -> FoundPage:
        return await self._history.search_messages(query)


class ProcessAccounts(SqliteAccounts):
    """`chat.ports.accounts.Accounts`."""

    def __init__(self, process: Process, database: Database, clock: Callable[[], int]) -> None:
        super().__init__(database, clock=clock)
        self._process = process

    async def get_user(self, user: str) -> User | None:
        found = super().get_user
        return await call_engine(self._process, "account", lambda: found(user))

    async def get_users(self, users: Collection[str]) -> dict[str, User]:
        found = super().get_users
        return await call_engine(self._process, "account", lambda: found(users))


class ProcessRooms(SqliteRooms):
    """`chat.ports.rooms.Rooms`."""

    def __init__(self, process: Process, database: Database) -> None:
        super().__init__(database)
        self._process = process

    async def get_role(self, room: str, user: str) -> Role | None:
        found = super().get_role
        return await call_engine(self._process, "role", lambda: found(room, user))

    async def get_roles(self, places: Sequence[tuple[str, str]]) -> Sequence[Role | None]:
        found = super().get_roles
        return await call_engine(self._process, "role", lambda: found(places))

    async def set_member(
        self,
        room: str,
        user: str,
        role: Role,
        *,
        now: int,
        new_only: bool = False,
        by: str | None = None,
        undecided: AddedBy = AddedBy.EVERYONE,
    ) -> Role | None:
        found = super().set_member
        return await call_engine(
            self._process,
            "change",
            lambda: found(room, user, role, now=now, new_only=new_only, by=by, undecided=undecided),
        )

    async def remove_member(self, room: str, user: str, *, by: str | None = None) -> Role | None:
        found = super().remove_member
        return await call_engine(self._process, "change", lambda: found(room, user, by=by))

    async def ban_user(self, room: str, user: str, by: str, reason: str, now: int) -> Role | None:
        found = super().ban_user
        return await call_engine(self._process, "change", lambda: found(room, user, by, reason, now))

    async def unban_user(self, room: str, user: str) -> bool:
        found = super().unban_user
        return await call_engine(self._process, "change", lambda: found(room, user))


class ProcessPresence:
    """`chat.ports.presence.Presence`, which publishes nothing.

    No promise about messages depends on it. A drained edge reports departures in the order of a set, so events would
    differ from run to run.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._states: dict[str, dict[str, PresenceState]] = {}

    async def enter_session(self, user: str, session: str, state: PresenceState = PresenceState.ONLINE) -> None:
        await self._process.block_unless_running()
        await checkpoint()
        self._states.setdefault(user, {})[session] = state

    async def leave_session(self, user: str, session: str) -> None:
        await self._process.block_unless_running()
        await checkpoint()
        self._states.get(user, {}).pop(session, None)

    async def refresh_sessions(self, sessions: Sequence[tuple[str, str, PresenceState]]) -> None:
        await self._process.block_unless_running()
        await checkpoint()

    async def get_states(self, users: Collection[str]) -> dict[str, Seen]:
        await checkpoint()
        return {user: Seen(next(iter(self._states.get(user, {}).values()), PresenceState.OFFLINE)) for user in users}
