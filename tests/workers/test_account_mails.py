"""Mails about accounts: from the log to those who get them, whatever a mail server does meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from chat.domain.ids import new_id
from chat.engines.executor import InlineExecutor
from chat.engines.log import SqliteLog
from chat.errors import Unavailable
from chat.ports.log import Log
from chat.wire.account_mails import ACCOUNT_MAIL_TOPIC, AccountMail, AccountMailKind, encode_account_mail
from tests.support.builders import ANN, NOW
from tests.support.clocks import ManualClock, virtual_time
from tests.support.engines import Stores, sqlite_memory
from tests.support.patience import patient
from workers.account_mails import AT_ONCE, ATTEMPTS, GROUP, LIVES_MS, AccountMailDispatcher, AccountMailHandler
from workers.pool import Pool

pytestmark = pytest.mark.anyio
MINUTE_MS = 60_000


class Sender:
    """`chat.ports.mail.AccountMailSender` that keeps what it was given. The errors for a user are raised in turn."""

    def __init__(self) -> None:
        self.sent: list[AccountMail] = []
        self.errors: dict[str, list[Exception]] = {}
        self.attempts = 0
        self.held: set[str] = set()
        self.changed = anyio.Event()

    async def send_account_mail(self, mail: AccountMail) -> None:
        self.attempts += 1
        self._note_change()
        if mail.user in self.held:
            await anyio.sleep_forever()
        errors = self.errors.get(mail.user, [])
        if errors:
            raise errors.pop(0)
        self.sent.append(mail)
        self._note_change()

    def _note_change(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()

    async def wait_sent(self, count: int) -> None:
        with anyio.fail_after(patient(30)):
            while len(self.sent) < count:
                await self.changed.wait()

    async def wait_attempts(self, count: int) -> None:
        with anyio.fail_after(patient(30)):
            while self.attempts < count:
                await self.changed.wait()


class Mailroom:
    """A pool and a dispatcher that run, and what they work with."""

    def __init__(self, stores: Stores, log: Log) -> None:
        self.clock = ManualClock(NOW)
        self.sender = Sender()
        self.stores = stores
        self.log = log
        self.dispatcher = AccountMailDispatcher(stores.mailings, self.sender, clock=self.clock)
        self.handler = AccountMailHandler(stores.mailings, self.dispatcher.wake, clock=self.clock)

    async def ask(self, user: str = ANN, *, kind: AccountMailKind = AccountMailKind.VERIFY, mail: str = "") -> None:
        record = AccountMail(id=mail or new_id(), kind=kind, ts=self.clock(), user=user)
        await self.log.append(ACCOUNT_MAIL_TOPIC, record.id, encode_account_mail(record))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            await tasks.start(self.dispatcher.run)
            await tasks.start(Pool(self.log, GROUP, [ACCOUNT_MAIL_TOPIC], self.handler).run)
            yield
            tasks.cancel_scope.cancel()


@pytest.fixture
async def room(anyio_backend: object) -> AsyncIterator[Mailroom]:
    async with (
        sqlite_memory(Path()) as stores,
        SqliteLog.open(None, executor=InlineExecutor(), commit_interval_ms=0) as log,
    ):
        yield Mailroom(stores, log)


async def test_a_mail_is_sent_once_however_often_its_record_comes(room: Mailroom) -> None:
    async with room.running():
        for _ in range(3):
            await room.ask(mail="the same")
        await room.ask(mail="another")
        await room.sender.wait_sent(2)
    assert sorted(mail.id for mail in room.sender.sent) == ["another", "the same"]


@virtual_time
async def test_what_the_server_cannot_take_now_is_tried_again_until_it_can(room: Mailroom) -> None:
    room.sender.errors["ben"] = [Unavailable("451 greylisted")] * 3
    async with room.running():
        await room.ask("ben")
        await room.ask(ANN)
        await room.sender.wait_sent(1)
        assert room.sender.sent[0].user == ANN
        for attempts in (3, 4, 5):
            room.clock.now += 30 * MINUTE_MS
            room.dispatcher.wake()
            await room.sender.wait_attempts(attempts)
        await room.sender.wait_sent(2)
    assert [mail.user for mail in room.sender.sent] == [ANN, "ben"]


@virtual_time
async def test_a_mail_ends_with_the_token_that_it_would_bring(room: Mailroom) -> None:
    room.sender.errors["ben"] = [Unavailable("451")] * 99
    async with room.running():
        await room.ask("ben", kind=AccountMailKind.RESET)
        await room.sender.wait_attempts(1)
        room.clock.now += LIVES_MS[AccountMailKind.RESET]
        room.dispatcher.wake()
        await anyio.wait_all_tasks_blocked()
    assert room.sender.attempts == 1


@virtual_time
async def test_a_mail_that_always_fails_is_dropped(room: Mailroom) -> None:
    room.sender.errors["ben"] = [ValueError("a defect")] * 99
    async with room.running():
        await room.ask("ben")
        for attempts in range(1, ATTEMPTS + 1):
            await room.sender.wait_attempts(attempts)
            await anyio.wait_all_tasks_blocked()
            room.clock.now += 60 * MINUTE_MS
            room.dispatcher.wake()
        await anyio.wait_all_tasks_blocked()
    assert room.sender.attempts == ATTEMPTS


async def test_slow_mails_leave_places_to_others_and_never_take_more_than_there_are(room: Mailroom) -> None:
    room.sender.held = {"slow"}
    async with room.running():
        for _ in range(AT_ONCE - 1):
            await room.ask("slow")
        await room.sender.wait_attempts(AT_ONCE - 1)
        for _ in range(5):
            await room.ask(ANN)
        await room.sender.wait_sent(5)
        for _ in range(AT_ONCE):
            await room.ask("slow")
        await room.sender.wait_attempts(AT_ONCE + 5)
        await anyio.wait_all_tasks_blocked()
        assert room.sender.attempts == AT_ONCE + 5


async def test_what_was_cut_off_comes_again_after_its_lease(room: Mailroom) -> None:
    room.sender.held = {ANN}
    async with room.running():
        await room.ask()
        await room.sender.wait_attempts(1)
    room.sender.held = set()
    room.clock.now += 11 * MINUTE_MS
    async with room.running():
        await room.sender.wait_sent(1)


async def test_a_mail_that_expired_on_the_way_is_not_sent(room: Mailroom) -> None:
    await room.ask("ben", kind=AccountMailKind.RESET)
    room.clock.now += LIVES_MS[AccountMailKind.RESET]
    async with room.running():
        await room.ask()
        await room.sender.wait_sent(1)
    assert [mail.user for mail in room.sender.sent] == [ANN]
