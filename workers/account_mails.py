"""Mails about accounts: from the log into the store, and from there to those who get them.

Rule 1: a record of the log only becomes a pending mail. So a mail server that takes no mail for one recipient, or none
  at all, holds up no partition, and mails outlive a restart.
Rule 2: a pending mail is claimed with a lease: of any number of processes, one sends it. When that one dies, another
  does so after the lease; so a mail may come twice, under the same Message-ID.
Rule 3: what may pass is tried again, later each time, until the mail expires with the token that it brings. What will
  not pass is dropped, and logged without its contents.
Rule 4: `AT_ONCE` mails are on their way; one that waits for a slow server leaves the other places to others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import anyio
from anyio.abc import TaskStatus

from chat.concurrency import AutoResetEvent, Backoff
from chat.domain.ids import now_ms
from chat.domain.mailing import TOKEN_LIVES_MS, TokenPurpose
from chat.errors import Poison, Unavailable
from chat.ports.log import LogRecord
from chat.ports.mail import AccountMailSender
from chat.ports.mailings import Mailings, PendingMail
from chat.wire.account_mails import AccountMail, AccountMailKind, decode_account_mail, encode_account_mail
from workers.spans import trace_each

GROUP = "account-mails"
AT_ONCE = 8
LEASE_MS = 5 * 60 * 1000
POLL_SECONDS = 5.0
ATTEMPTS = 5
LIVES_MS = dict.fromkeys(AccountMailKind, TOKEN_LIVES_MS[TokenPurpose.VERIFY]) | {
    AccountMailKind.RESET: TOKEN_LIVES_MS[TokenPurpose.RESET]
}
_RETRIES = Backoff(base=15.0, cap=1800.0, jitter=0.5)
_FINISH_SECONDS = 5.0
_logger = logging.getLogger(__name__)


class AccountMailHandler:
    """Implements `workers.pool.Handler` for `ACCOUNT_MAIL_TOPIC` (rule 1), and calls `stored` when more can be sent."""

    def __init__(self, mailings: Mailings, stored: Callable[[], object], *, clock: Callable[[], int] = now_ms) -> None:
        self._mailings = mailings
        self._stored = stored
        self._clock = clock

    def decode_record(self, entry: LogRecord) -> AccountMail:
        """The record in an entry, or `Poison`."""
        return decode_account_mail(entry.value)

    async def handle_records(self, records: Sequence[AccountMail]) -> None:
        """Raises `Unavailable`. A mail that expired before it came here is not stored."""
        now = self._clock()
        fresh = [each for each in records if each.ts + LIVES_MS[each.kind] > now]
        if fresh:
            await self._mailings.add_pending([_to_pending(each, now) for each in fresh])
            self._stored()


class AccountMailDispatcher:
    """Sends pending mails."""

    def __init__(self, mailings: Mailings, sender: AccountMailSender, *, clock: Callable[[], int] = now_ms) -> None:
        self._mailings = mailings
        self._sender = sender
        self._clock = clock
        self._free = AT_ONCE
        self._awake = AutoResetEvent()

    def wake(self) -> None:
        """Look now whether there are mails to send."""
        self._awake.set()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Send until cancelled; what is on its way then is cut off, and comes again."""
        async with anyio.create_task_group() as tasks:
            task_status.started()
            while True:
                claimed = await self._claim_mails()
                for mail in claimed:
                    self._free -= 1
                    tasks.start_soon(self._send_claimed, mail)
                if not claimed or not self._free:
                    with anyio.move_on_after(POLL_SECONDS):
                        await self._awake.wait()

    async def _claim_mails(self) -> Sequence[PendingMail]:
        if not self._free:  # rule 4
            return []
        try:
            return await self._mailings.claim_pending(self._clock(), LEASE_MS, self._free)  # rule 2
        except Unavailable as error:
            _logger.warning("mails that wait could not be read: %s", error.message)
            return []

    async def _send_claimed(self, mail: PendingMail) -> None:
        try:
            again_at = await self._send_mail(mail)
            with anyio.move_on_after(_FINISH_SECONDS, shield=True):  # it was sent, so it must not be sent again
                await self._finish_mail(mail, again_at)
        finally:
            self._free += 1
            self._awake.set()

    async def _send_mail(self, mail: PendingMail) -> int | None:
        """When to try again; None when it is over."""
        try:
            asked = decode_account_mail(mail.payload)
            with trace_each("mail", [asked.trace]):
                await self._sender.send_account_mail(asked)
        except Unavailable as error:
            _logger.warning("a mail is tried again later: %s", error.message)
            return self._clock() + int(_RETRIES.delay(mail.attempts - 1) * 1000)  # rule 3
        except Poison:
            _logger.error("a mail that waits cannot be read, and is dropped")  # noqa: TRY400 - its text may quote it
        except Exception as error:  # noqa: BLE001 - rule 3: one mail ends neither the others nor the worker
            _logger.error("a mail failed with %s (attempt %d)", type(error).__name__, mail.attempts)  # noqa: TRY400
            if mail.attempts < ATTEMPTS:
                return self._clock() + int(_RETRIES.delay(mail.attempts - 1) * 1000)
        return None

    async def _finish_mail(self, mail: PendingMail, again_at: int | None) -> None:
        try:
            if again_at is None:
                await self._mailings.finish_pending(mail.id)
            else:
                await self._mailings.postpone_pending(mail.id, again_at)
        except Unavailable as error:
            _logger.warning("a mail may be sent again, its end could not be noted: %s", error.message)


def _to_pending(mail: AccountMail, now: int) -> PendingMail:
    payload = encode_account_mail(mail)
    return PendingMail(id=mail.id, user=mail.user, payload=payload, due=now, expires=mail.ts + LIVES_MS[mail.kind])
