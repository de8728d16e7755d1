"""Push in SQLite: the subscriptions of browsers, and a row for each push that waits for one or is shown on one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from functools import partial

from chat.domain import push_queue
from chat.domain.push import SUBSCRIPTIONS_PER_USER, PushSubscription
from chat.domain.push_queue import PushContent, PushPlace
from chat.engines.database import Database
from chat.ports.push import KEPT_MS, ClaimedPush

_SUBSCRIPTION = "user, family, endpoint, p256dh, auth, service, vapid, created"
_PLACE = "seq, queued, due, content, closes, shown, claimed, attempts, version, trace"
_PLACE_OF_PUSH = ", ".join(f"pushes.{name}" for name in _PLACE.split(", "))
# The log-in of the subscription has not ended. A deleted account has no log-ins.
_IS_OPEN = "EXISTS (SELECT 1 FROM grants WHERE grants.family = push_subscriptions.family)"
_CLEARED_AT_ONCE = 500
Decision = Callable[[PushPlace], PushPlace | None]


class SqlitePushStore:
    """`chat.ports.push.PushStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_subscription(self, subscription: PushSubscription) -> None:
        await self._database.write(lambda connection: _add_subscription(connection, subscription))

    async def list_subscriptions(self, user: str) -> Sequence[PushSubscription]:
        sql = f"SELECT {_SUBSCRIPTION} FROM push_subscriptions WHERE user = ? AND {_IS_OPEN} ORDER BY key DESC"  # noqa: S608
        rows = await self._database.read(lambda connection: connection.execute(sql, (user,)).fetchall())
        return [_to_subscription(row) for row in rows]

    async def remove_subscription(self, user: str, endpoint: str) -> bool:
        sql = "DELETE FROM push_subscriptions WHERE user = ? AND endpoint = ?"
        return await self._database.write(lambda connection: connection.execute(sql, (user, endpoint)).rowcount > 0)

    async def find_subscribed(self, users: Collection[str]) -> set[str]:
        sql = f"SELECT DISTINCT user FROM push_subscriptions WHERE user IN (SELECT value FROM json_each(?)) AND {_IS_OPEN}"  # noqa: S608, E501
        listed = json.dumps(list(users))
        return {user for (user,) in await self._database.read(lambda one: one.execute(sql, (listed,)).fetchall())}

    async def queue_pushes(self, pushes: Sequence[PushContent]) -> int:
        if not pushes:
            return 0
        return await self._database.write(lambda connection: sum(_queue_push(connection, each) for each in pushes))

    async def claim_pushes(self, service: str, now: int, until: int, limit: int) -> Sequence[ClaimedPush]:
        return await self._database.write(lambda connection: _claim_pushes(connection, service, now, until, limit))

    async def note_delivered(self, push: ClaimedPush) -> None:
        version, closes = push.place.version, push.place.closes
        await self._change_place(push, lambda place: push_queue.finish_delivered(place, version, closes=closes))

    async def note_later(self, push: ClaimedPush, due: int, *, device: bool) -> None:
        def job(connection: sqlite3.Connection) -> None:
            _change_place(connection, push, lambda place: push_queue.finish_later(place, push.place.version, due))
            if device:
                _rest_device(connection, push.subscription.endpoint, due)

        await self._database.write(job)

    async def drop_push(self, push: ClaimedPush) -> None:
        await self._change_place(push, lambda place: push_queue.finish_dropped(place, push.place.version))

    async def drop_subscription(self, push: ClaimedPush) -> None:
        gone = push.subscription
        sql = "DELETE FROM push_subscriptions WHERE endpoint = ? AND p256dh = ? AND created = ?"
        values = (gone.endpoint, gone.p256dh, gone.created)
        await self._database.write(lambda connection: connection.execute(sql, values))

    async def find_next_due(self, service: str) -> int | None:
        sql = "SELECT min(due) FROM pushes WHERE service = ? AND due IS NOT NULL"
        row: tuple[int | None] = await self._database.read(
            lambda connection: connection.execute(sql, (service,)).fetchone()
        )
        return row[0]

    async def clear_pushes(self, now: int) -> None:
        for job in (_clear_old_pushes, _clear_subscriptions):
            while await self._database.write(partial(job, before=now - KEPT_MS)) == _CLEARED_AT_ONCE:
                pass

    async def _change_place(self, push: ClaimedPush, decide: Decision) -> None:
        await self._database.write(lambda connection: _change_place(connection, push, decide))


def _add_subscription(connection: sqlite3.Connection, new: PushSubscription) -> None:
    connection.execute("DELETE FROM push_subscriptions WHERE endpoint = ?", (new.endpoint,))
    connection.execute(
        f"INSERT INTO push_subscriptions ({_SUBSCRIPTION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (new.user, new.family, new.endpoint, new.p256dh, new.auth, new.service, new.vapid, new.created),
    )
    connection.execute(
        f"DELETE FROM push_subscriptions WHERE user = ? AND NOT {_IS_OPEN}",  # noqa: S608
        (new.user,),
    )
    connection.execute(
        "DELETE FROM push_subscriptions WHERE user = ?1 AND key NOT IN"
        " (SELECT key FROM push_subscriptions WHERE user = ?1 ORDER BY key DESC LIMIT ?2)",
        (new.user, SUBSCRIPTIONS_PER_USER),
    )


def _queue_push(connection: sqlite3.Connection, pushed: PushContent) -> int:
    """How many devices have something waiting that had not before."""
    rows = connection.execute(
        f"SELECT key, service, rest_until FROM push_subscriptions WHERE user = ? AND {_IS_OPEN}",  # noqa: S608
        (pushed.user,),
    ).fetchall()
    count = 0
    for key, service, rest_until in rows:
        before = _find_place(connection, key, pushed.conversation)
        after = push_queue.queue_content(before, pushed, rest_until)
        if after is not before:
            _store_place(connection, (key, pushed.conversation, service), after)
            count += after is not None
    return count


def _find_place(connection: sqlite3.Connection, key: int, conversation: str) -> PushPlace | None:
    sql = f"SELECT {_PLACE} FROM pushes WHERE subscription = ? AND conversation = ?"  # noqa: S608
    row = connection.execute(sql, (key, conversation)).fetchone()
    return _to_place(row) if row else None


def _store_place(connection: sqlite3.Connection, where: tuple[int, str, str], place: PushPlace | None) -> None:
    if place is None:
        connection.execute("DELETE FROM pushes WHERE subscription = ? AND conversation = ?", where[:2])
        return
    connection.execute(
        f"INSERT OR REPLACE INTO pushes (subscription, conversation, service, {_PLACE})"  # noqa: S608
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *where,
            place.seq,
            place.queued,
            place.due,
            place.content,
            place.closes,
            place.shown,
            place.claimed,
            place.attempts,
            place.version,
            place.trace,
        ),
    )


def _claim_pushes(
    connection: sqlite3.Connection, service: str, now: int, until: int, limit: int
) -> Sequence[ClaimedPush]:
    rows = connection.execute(
        f"SELECT {_PLACE_OF_PUSH}, conversation, key, {_IS_OPEN},"  # noqa: S608
        f" {', '.join(f'push_subscriptions.{name}' for name in _SUBSCRIPTION.split(', '))}"
        " FROM pushes JOIN push_subscriptions ON push_subscriptions.key = pushes.subscription"
        " WHERE pushes.service = ? AND due <= ? ORDER BY due LIMIT ?",
        (service, now, limit),
    ).fetchall()
    claimed: list[ClaimedPush] = []
    for row in rows:
        conversation, key, is_open = row[10:13]
        place = push_queue.claim_place(_to_place(row[:10]), now, until)
        if not is_open:
            connection.execute("DELETE FROM push_subscriptions WHERE key = ?", (key,))
        elif place is not None:
            _store_place(connection, (key, conversation, service), place)
            claimed.append(ClaimedPush(subscription=_to_subscription(row[13:]), conversation=conversation, place=place))
    return claimed


def _change_place(connection: sqlite3.Connection, push: ClaimedPush, decide: Decision) -> None:
    row = connection.execute(
        f"SELECT key, {_PLACE_OF_PUSH} FROM pushes"  # noqa: S608
        " JOIN push_subscriptions ON push_subscriptions.key = pushes.subscription"
        " WHERE endpoint = ? AND conversation = ?",
        (push.subscription.endpoint, push.conversation),
    ).fetchone()
    if row is not None:
        where = (row[0], push.conversation, push.subscription.service)
        _store_place(connection, where, decide(_to_place(row[1:])))


def _rest_device(connection: sqlite3.Connection, endpoint: str, until: int) -> None:
    connection.execute("UPDATE push_subscriptions SET rest_until = ? WHERE endpoint = ?", (until, endpoint))
    connection.execute(
        "UPDATE pushes SET due = ?1 WHERE due < ?1 AND claimed = 0 AND subscription ="
        " (SELECT key FROM push_subscriptions WHERE endpoint = ?2)",
        (until, endpoint),
    )


def _clear_old_pushes(connection: sqlite3.Connection, before: int) -> int:
    sql = "DELETE FROM pushes WHERE rowid IN (SELECT rowid FROM pushes WHERE queued < ? LIMIT ?)"
    return connection.execute(sql, (before, _CLEARED_AT_ONCE)).rowcount


def _clear_subscriptions(connection: sqlite3.Connection, before: int) -> int:  # noqa: ARG001 - as the other job
    sql = f"SELECT key FROM push_subscriptions WHERE NOT {_IS_OPEN} LIMIT ?"  # noqa: S608
    sql = f"DELETE FROM push_subscriptions WHERE key IN ({sql})"  # noqa: S608
    return connection.execute(sql, (_CLEARED_AT_ONCE,)).rowcount


def _to_subscription(row: tuple[str, str, str, bytes, bytes, str, str, int]) -> PushSubscription:
    return PushSubscription(
        user=row[0],
        family=row[1],
        endpoint=row[2],
        p256dh=row[3],
        auth=row[4],
        service=row[5],
        vapid=row[6],
        created=row[7],
    )


def _to_place(row: tuple[int, int, int | None, bytes, int, int, int, int, int, str]) -> PushPlace:
    return PushPlace(
        seq=row[0],
        queued=row[1],
        due=row[2],
        content=row[3],
        closes=bool(row[4]),
        shown=bool(row[5]),
        claimed=row[6],
        attempts=row[7],
        version=row[8],
        trace=row[9],
    )
