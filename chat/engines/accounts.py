"""Accounts in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence

import msgspec
from msgspec.structs import replace

from chat.domain.ids import now_ms
from chat.domain.instance import require_owner_role
from chat.domain.models import InstanceRole, User, UserStatus
from chat.domain.privacy import AddedBy, require_blockable
from chat.domain.text import fold_display_name, fold_email, fold_name
from chat.domain.token_families import Rotation
from chat.engines.database import Database
from chat.engines.grants import end_family, find_grant, insert_grant, purge_grants, rotate_grant
from chat.errors import Conflict, NotFound
from chat.ports.accounts import EMAIL_TAKEN, OpenLogIn, RefreshGrant, SigningKey

_COLUMNS = (
    "id, name, email, created, blocked, folded_email IS NOT NULL, pending_email, display_name, instance_role, status"
)
_END = "\U0010ffff"
_status: msgspec.json.Decoder[UserStatus] = msgspec.json.Decoder(UserStatus)


class SqliteAccounts:
    """`chat.ports.accounts.Accounts` on SQLite.

    Each new grant makes some be forgotten that expired more than a day ago. `clock` gives milliseconds since the epoch.
    """

    def __init__(self, database: Database, *, clock: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._clock = clock

    async def create_user(
        self, user: User, password_hash: str | None, *, role_of_first: InstanceRole | None = None
    ) -> User:
        def job(connection: sqlite3.Connection) -> User:
            is_first = role_of_first is not None and _is_first(connection)
            stored = replace(user, instance_role=role_of_first) if is_first else user
            _create(connection, stored, password_hash)
            if is_first:
                connection.execute("INSERT INTO first_account (user) VALUES (?)", (user.id,))
            return stored

        return await self._database.write(job)

    async def get_user(self, user: str) -> User | None:
        return await self._database.read(lambda connection: _get(connection, user))

    async def get_users(self, users: Collection[str]) -> dict[str, User]:
        wanted = list(dict.fromkeys(users))

        def query(connection: sqlite3.Connection) -> dict[str, User]:
            found = (_get(connection, user) for user in wanted)
            return {user.id: user for user in found if user is not None}

        return await self._database.read(query)

    async def find_by_name(self, name: str) -> User | None:
        def query(connection: sqlite3.Connection) -> User | None:
            row = connection.execute(f"SELECT {_COLUMNS} FROM users WHERE folded = ?", (fold_name(name),)).fetchone()  # noqa: S608
            return _user(row) if row else None

        return await self._database.read(query)

    async def ids_by_names(self, names: Collection[str]) -> dict[str, str]:
        wanted = list(dict.fromkeys(names))

        def query(connection: sqlite3.Connection) -> dict[str, str]:
            found: dict[str, str] = {}
            for name in wanted:
                row = connection.execute("SELECT id FROM users WHERE folded = ?", (name,)).fetchone()
                if row:
                    found[name] = row[0]
            return found

        return await self._database.read(query)

    async def search_users(
        self, prefix: str, limit: int, *, after: str = "", blocked_only: bool = False
    ) -> Sequence[User]:
        return await self._database.read(
            lambda connection: _search(connection, prefix, limit, fold_name(after), blocked_only=blocked_only)
        )

    async def set_display_name(self, user: str, display_name: str) -> User:
        def job(connection: sqlite3.Connection) -> User:
            sql = "UPDATE users SET display_name = ?, folded_display_name = ? WHERE id = ?"
            return _update_user(connection, sql, (display_name, fold_display_name(display_name) or None), user)

        return await self._database.write(job)

    async def set_status(self, user: str, status: UserStatus | None) -> User:
        content = msgspec.json.encode(status).decode() if status else None
        sql = "UPDATE users SET status = ? WHERE id = ?"
        return await self._database.write(lambda connection: _update_user(connection, sql, (content,), user))

    async def find_displayed(self, room: str, names: Collection[str]) -> dict[str, str]:
        sql = (
            "SELECT users.id FROM users JOIN members ON members.user = users.key"
            " AND members.room = (SELECT key FROM rooms WHERE id = ?) WHERE users.folded_display_name = ? LIMIT 2"
        )

        def query(connection: sqlite3.Connection) -> dict[str, str]:
            found = {name: connection.execute(sql, (room, name)).fetchall() for name in set(names)}
            return {name: rows[0][0] for name, rows in found.items() if len(rows) == 1}

        return await self._database.read(query)

    async def get_password_hash(self, user: str) -> str | None:
        def query(connection: sqlite3.Connection) -> str | None:
            row = connection.execute("SELECT password_hash FROM users WHERE id = ?", (user,)).fetchone()
            return row[0] if row else None

        return await self._database.read(query)

    async def set_password_hash(self, user: str, password_hash: str) -> None:
        sql = "UPDATE users SET password_hash = ? WHERE id = ?"
        await self._database.write(lambda connection: _update(connection, sql, (password_hash, user)))

    async def find_by_email(self, email: str) -> User | None:
        sql = f"SELECT {_COLUMNS} FROM users WHERE folded_email = ?"  # noqa: S608

        def query(connection: sqlite3.Connection) -> User | None:
            row = connection.execute(sql, (fold_email(email),)).fetchone()
            return _user(row) if row else None

        return await self._database.read(query)

    async def set_email(self, user: str, email: str | None) -> None:
        await self._database.write(lambda connection: _set_email(connection, user, email))

    async def verify_email(self, user: str, email: str) -> str | None:
        return await self._database.write(lambda connection: _verify_email(connection, user, email))

    async def set_blocked(self, user: str, blocked: bool) -> None:
        def job(connection: sqlite3.Connection) -> None:
            _update(connection, "UPDATE users SET blocked = ? WHERE id = ?", (int(blocked), user))
            if blocked:
                connection.execute("DELETE FROM invites WHERE creator = ?", (user,))

        await self._database.write(job)

    async def set_instance_role(self, user: str, role: InstanceRole | None, *, by: str | None = None) -> None:
        def job(connection: sqlite3.Connection) -> None:
            if by is not None:
                row = connection.execute("SELECT instance_role FROM users WHERE id = ?", (by,)).fetchone()
                require_owner_role(InstanceRole(row[0]) if row and row[0] else None)
            _update(connection, "UPDATE users SET instance_role = ? WHERE id = ?", (role, user))

        await self._database.write(job)

    async def list_role_holders(self, limit: int) -> Sequence[User]:
        sql = f"SELECT {_COLUMNS} FROM users WHERE instance_role IS NOT NULL LIMIT ?"  # noqa: S608
        return await self._database.read(
            lambda connection: [_user(row) for row in connection.execute(sql, (limit,)).fetchall()]
        )

    async def get_added_by(self, user: str) -> AddedBy | None:
        def query(connection: sqlite3.Connection) -> AddedBy | None:
            row = connection.execute("SELECT added_by FROM users WHERE id = ?", (user,)).fetchone()
            return AddedBy(row[0]) if row and row[0] else None

        return await self._database.read(query)

    async def set_added_by(self, user: str, choice: AddedBy | None) -> None:
        sql = "UPDATE users SET added_by = ? WHERE id = ?"
        await self._database.write(lambda connection: _update(connection, sql, (choice, user)))

    async def add_user_block(self, user: str, other: str, now: int) -> None:
        def job(connection: sqlite3.Connection) -> None:
            if _get(connection, user) is None or _get(connection, other) is None:
                raise NotFound("there is no such user", field="user")
            there = connection.execute("SELECT count(*) FROM user_blocks WHERE user = ?", (user,)).fetchone()[0]
            require_blockable(user, other, there)
            connection.execute(
                "INSERT OR IGNORE INTO user_blocks (user, other, at) VALUES (?, ?, ?)", (user, other, now)
            )

        await self._database.write(job)

    async def remove_user_block(self, user: str, other: str) -> bool:
        def job(connection: sqlite3.Connection) -> bool:
            sql = "DELETE FROM user_blocks WHERE user = ? AND other = ?"
            return connection.execute(sql, (user, other)).rowcount > 0

        return await self._database.write(job)

    async def list_user_blocks(self, user: str) -> Sequence[str]:
        sql = "SELECT other FROM user_blocks WHERE user = ? ORDER BY at, other"
        return await self._database.read(lambda connection: [row[0] for row in connection.execute(sql, (user,))])

    async def find_blockers(self, other: str, users: Collection[str]) -> set[str]:
        def query(connection: sqlite3.Connection) -> set[str]:
            sql = "SELECT 1 FROM user_blocks WHERE user = ? AND other = ?"
            return {user for user in users if connection.execute(sql, (user, other)).fetchone()}

        return await self._database.read(query)

    async def find_blocks(self, pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        def query(connection: sqlite3.Connection) -> set[tuple[str, str]]:
            sql = "SELECT 1 FROM user_blocks WHERE user = ? AND other = ?"
            return {pair for pair in pairs if connection.execute(sql, pair).fetchone()}

        return await self._database.read(query)

    async def add_grant(self, grant: RefreshGrant) -> None:
        now = self._clock()

        def job(connection: sqlite3.Connection) -> None:
            purge_grants(connection, now)
            insert_grant(connection, grant)

        await self._database.write(job)

    async def rotate_grant(
        self, digest: bytes, successor: bytes, expires: int, now: int
    ) -> tuple[Rotation, RefreshGrant | None]:
        return await self._database.write(lambda connection: rotate_grant(connection, digest, successor, expires, now))

    async def end_family(self, digest: bytes) -> RefreshGrant | None:
        now = self._clock()

        def job(connection: sqlite3.Connection) -> RefreshGrant | None:
            grant = find_grant(connection, digest)
            if grant:
                end_family(connection, grant.family, now)
            return grant

        return await self._database.write(job)

    async def end_families(self, user: str, *, keep: str | None = None) -> Sequence[str]:
        now = self._clock()

        def job(connection: sqlite3.Connection) -> list[str]:
            found = connection.execute("SELECT DISTINCT family FROM grants WHERE user = ?", (user,)).fetchall()
            ended = [family for (family,) in found if family != keep]
            for family in ended:
                end_family(connection, family, now)
            return ended

        return await self._database.write(job)

    async def end_log_in(self, user: str, family: str) -> bool:
        now = self._clock()

        def job(connection: sqlite3.Connection) -> bool:
            sql = "SELECT 1 FROM grants WHERE family = ? AND user = ? LIMIT 1"
            if connection.execute(sql, (family, user)).fetchone() is None:
                return False
            end_family(connection, family, now)
            return True

        return await self._database.write(job)

    async def list_log_ins(self, user: str, now: int, limit: int) -> Sequence[OpenLogIn]:
        sql = (
            "SELECT family, max(begun), max(max(begun), max(replaced)), max(agent) FROM grants WHERE user = ?"
            " GROUP BY family HAVING max(expires) > ? ORDER BY 3 DESC, family LIMIT ?"
        )
        return await self._database.read(
            lambda connection: [OpenLogIn(*row) for row in connection.execute(sql, (user, now, limit))]
        )

    async def list_ended_families(self, since: int, limit: int) -> Sequence[str]:
        sql = "SELECT family FROM ended_families WHERE ended >= ? ORDER BY ended DESC LIMIT ?"
        rows = await self._database.read(lambda connection: connection.execute(sql, (since, limit)).fetchall())
        return [family for (family,) in reversed(rows)]

    async def signing_keys(self) -> Sequence[SigningKey]:
        sql = "SELECT kid, private, created, expires FROM signing_keys ORDER BY created, kid"
        return await self._database.read(lambda connection: [SigningKey(*row) for row in connection.execute(sql)])

    async def add_signing_key(self, key: SigningKey, *, keep_from: int) -> None:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM signing_keys WHERE expires < ?", (keep_from,))
            connection.execute(
                "INSERT OR IGNORE INTO signing_keys (kid, private, created, expires) VALUES (?, ?, ?, ?)",
                (key.kid, key.private, key.created, key.expires),
            )

        await self._database.write(job)


_Row = tuple[str, str, str | None, int, int, int, str | None, str, str | None, str | None]


def _user(row: _Row) -> User:
    user, name, email, created, blocked, verified, pending, display_name, role, status = row
    given, said = InstanceRole(role) if role else None, _status.decode(status) if status else None
    return User(user, name, email, created, bool(blocked), bool(verified), pending, display_name, given, said)


def _search(connection: sqlite3.Connection, prefix: str, limit: int, after: str, *, blocked_only: bool) -> list[User]:
    """Those whose name starts so, and those whose display name does: each from the index that has it in order."""
    only = " AND blocked = 1" if blocked_only else ""
    sql = (
        f"SELECT {_COLUMNS}, folded FROM users WHERE {{0}} >= ? AND {{0}} < ? AND folded > ?{only}"  # noqa: S608
        " ORDER BY folded LIMIT ?"
    )
    low, shown = fold_name(prefix), fold_display_name(prefix)
    rows = connection.execute(sql.format("folded"), (low, low + _END, after, limit)).fetchall()
    if shown:  # all users have a name that starts with nothing
        rows += connection.execute(sql.format("folded_display_name"), (shown, shown + _END, after, limit)).fetchall()
    found = {row[-1]: _user(row[:-1]) for row in rows}
    return [found[folded] for folded in sorted(found)[:limit]]


def _get(connection: sqlite3.Connection, user: str) -> User | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM users WHERE id = ?", (user,)).fetchone()  # noqa: S608
    return _user(row) if row else None


def _is_first(connection: sqlite3.Connection) -> bool:
    """Whether there is no account, and none was made as the first one."""
    sql = "SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM first_account)"
    return not connection.execute(sql).fetchone()[0]


def _create(connection: sqlite3.Connection, user: User, password_hash: str | None) -> None:
    folded_email = fold_email(user.email) if user.email and user.email_verified else None
    if connection.execute("SELECT 1 FROM users WHERE folded = ?", (fold_name(user.name),)).fetchone():
        raise Conflict("the name is taken; choose another", field="name")
    if folded_email and connection.execute("SELECT 1 FROM users WHERE folded_email = ?", (folded_email,)).fetchone():
        raise Conflict(EMAIL_TAKEN, field="email")
    if connection.execute("SELECT 1 FROM users WHERE id = ?", (user.id,)).fetchone():
        raise Conflict("the id is taken; make a new one", field="id")
    connection.execute(
        "INSERT INTO users (id, name, folded, email, folded_email, password_hash, created, blocked, display_name,"
        " folded_display_name, instance_role) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            user.id,
            user.name,
            fold_name(user.name),
            user.email,
            folded_email,
            password_hash,
            user.created,
            int(user.blocked),
            user.display_name,
            fold_display_name(user.display_name) or None,
            user.instance_role,
        ),
    )


def _set_email(connection: sqlite3.Connection, user: str, email: str | None) -> None:
    if email is None:
        _update(
            connection, "UPDATE users SET email = NULL, folded_email = NULL, pending_email = NULL WHERE id = ?", (user,)
        )
        return
    sql = """UPDATE users SET email = iif(folded_email IS NULL, ?, email),
        pending_email = iif(folded_email IS NULL, NULL, ?) WHERE id = ?"""
    _update(connection, sql, (email, email, user))


def _verify_email(connection: sqlite3.Connection, user: str, email: str) -> str | None:
    found, folded = _get(connection, user), fold_email(email)
    if found is None or email not in {found.email, found.pending_email}:
        raise NotFound("this address is not that of the account any more", field="email")
    if connection.execute("SELECT 1 FROM users WHERE folded_email = ? AND id <> ?", (folded, user)).fetchone():
        raise Conflict(EMAIL_TAKEN, field="email")
    sql = "UPDATE users SET email = ?, folded_email = ?, pending_email = NULL WHERE id = ?"
    _update(connection, sql, (email, folded, user))
    return found.email if found.email_verified and found.email != email else None


def _update_user(connection: sqlite3.Connection, sql: str, values: tuple[str | None, ...], user: str) -> User:
    """Change one user; the user as they are now. Raises `NotFound`."""
    _update(connection, sql, (*values, user))
    found = _get(connection, user)
    if found is None:
        raise NotFound("there is no such user")
    return found


def _update(connection: sqlite3.Connection, sql: str, values: tuple[str | int | None, ...]) -> None:
    if connection.execute(sql, values).rowcount == 0:
        raise NotFound("there is no such user")
