"""The mail server (RFC 5321): some connections, each of which takes one mail after the other, on threads.

The library is Python's own smtplib: those for asyncio do not run on every event loop, and a delivery waits for the
server and not for the processor, so a thread costs little.

Rule 1: TLS is used wherever the server offers it, and its certificate is checked; a password never goes out in clear
  text, but to this machine.
Rule 2: each step waits for so long, a delivery for `DELIVERY_STEPS` times as long; then the connection is cut off.
Rule 3: what the server says decides whether a mail is tried again (4xx, and whatever breaks a connection), or refused.
Rule 4: a connection that failed, or was idle for long, is not used again.
"""

from __future__ import annotations

import logging
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import anyio
import anyio.lowlevel
from msgspec import Struct

from chat.domain.mailing import MailFailure, judge_reply
from chat.errors import Unavailable
from chat.ports.executor import Executor
from chat.ports.mail import MailRefused, OutgoingMail
from chat.settings import SmtpServer

DELIVERY_STEPS = 4
IDLE_SECONDS = 30.0
_CLOSE_SECONDS = 5.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_logger = logging.getLogger(__name__)


class _Connection(Struct, eq=False):
    """A connection and when it was used last, in seconds of the monotonic clock."""

    smtp: smtplib.SMTP
    used: float

    def abort(self) -> None:
        """End whatever a thread waits for on it. May be called from another thread."""
        sock = self.smtp.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _Delivery:
    """One mail on its way, which may be cut off from outside (rule 2)."""

    def __init__(self, mail: OutgoingMail) -> None:
        self.mail = mail
        self.connection: _Connection | None = None
        self.is_over = False

    def cut_off(self) -> None:
        """End it, unless it is over. A thread that looks up the host, or connects, ends by its own time-out."""
        if not self.is_over and self.connection is not None:
            self.connection.abort()


class SmtpTransport:
    """`chat.ports.mail.MailTransport` on a mail server. At most `connections` mails are on their way at once.

    `name` is how we introduce ourselves (EHLO). `timeout` is that of one step, in seconds.
    """

    def __init__(
        self,
        server: SmtpServer,
        *,
        name: str,
        executor: Executor,
        timeout: float,
        connections: int,
        context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._name = name
        self._executor = executor
        self._timeout = timeout
        self._limiter = anyio.CapacityLimiter(connections)
        self._places = anyio.Semaphore(connections)  # taken first, so that a mail's time begins when it is its turn
        self._context = context or ssl.create_default_context()
        self._clock = clock
        self._idle: list[_Connection] = []

    async def send_mail(self, mail: OutgoingMail) -> None:
        """Cancelled, it cuts the delivery off; it returns when the server has taken the mail all the same."""
        delivery = _Delivery(mail)
        async with self._places, anyio.create_task_group() as tasks:
            tasks.start_soon(self._limit_delivery, delivery)
            try:
                error = await self._executor.run_blocking(lambda: self._try_delivery(delivery), self._limiter)
            finally:
                tasks.cancel_scope.cancel()
        if error is not None:
            await anyio.lowlevel.checkpoint_if_cancelled()
            raise error

    async def close(self) -> None:
        """Say goodbye on idle connections."""
        idle, self._idle = self._idle, []
        with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
            for connection in idle:
                await self._executor.run_blocking(partial(_quit, connection), self._limiter)

    async def _limit_delivery(self, delivery: _Delivery) -> None:
        try:
            await anyio.sleep(self._timeout * DELIVERY_STEPS)
        finally:
            delivery.cut_off()

    def _try_delivery(self, delivery: _Delivery) -> Exception | None:
        """On a thread. The error is given back and not raised, so that it reaches the caller as it is."""
        try:
            delivery.connection = connection = self._take_connection()
            if connection.smtp.sock is None:
                self._connect(connection.smtp)
            _send(connection.smtp, delivery.mail)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            if delivery.connection is not None:
                _abandon(delivery.connection)  # rule 4
            return self._translate(error)
        finally:
            delivery.is_over = True
        connection.used = self._clock()
        self._idle.append(connection)
        return None

    def _take_connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if self._clock() - connection.used < IDLE_SECONDS and _is_alive(connection):
                return connection
            _abandon(connection)
        return self._make_connection()

    def _make_connection(self) -> _Connection:
        """One that is not open yet, so that it can be cut off while it opens."""
        server = self._server
        if server.implicit_tls:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                local_hostname=self._name, timeout=self._timeout, context=self._context
            )
        else:
            smtp = smtplib.SMTP(local_hostname=self._name, timeout=self._timeout)
        smtp._host = server.host  # type: ignore[attr-defined]  # certificates are checked for it
        return _Connection(smtp, self._clock())

    def _connect(self, smtp: smtplib.SMTP) -> None:
        code, said = smtp.connect(self._server.host, self._server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        self._secure(smtp)
        if self._server.user:
            smtp.login(self._server.user, self._server.password)

    def _secure(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        if self._server.implicit_tls:
            return
        if smtp.has_extn("starttls"):
            smtp.starttls(context=self._context)  # rule 1
            smtp.ehlo()
        elif self._server.user and self._server.host not in _LOOPBACK:
            raise smtplib.SMTPNotSupportedError("it offers no TLS, and no password is sent without")

    def _translate(self, error: Exception) -> Exception:
        """The error in our words; what the server said is kept, and never what we sent."""
        where = f"the mail server {self._server.host}:{self._server.port}"
        refusal = _find_refusal(error)
        if refusal is not None:
            code, said, is_of_recipient = refusal
            failure = judge_reply(code, said)
            if failure is not MailFailure.SOFT and is_of_recipient:
                return MailRefused(f"{code} {said}", failure)
            return Unavailable(f"{where} took no mail: {code} {said}")
        if isinstance(error, ssl.SSLCertVerificationError):
            return Unavailable(f"{where} has a certificate that cannot be trusted: {error.verify_message}")
        if isinstance(error, smtplib.SMTPNotSupportedError):
            if "SMTPUTF8" in str(error):
                return MailRefused("the mail server takes only addresses in ASCII", MailFailure.HARD)
            return Unavailable(f"{where} cannot be used: {error}")
        return Unavailable(f"{where} does not answer as it should: {type(error).__name__}")


def _send(smtp: smtplib.SMTP, mail: OutgoingMail) -> None:
    options = [] if (mail.recipient + mail.sender).isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
    if options and not smtp.has_extn("smtputf8"):
        raise smtplib.SMTPNotSupportedError("SMTPUTF8 is not offered")
    smtp.sendmail(mail.sender, [mail.recipient], mail.message, mail_options=options)


def _find_refusal(error: Exception) -> tuple[int, str, bool] | None:
    """The reply that refused: its code, its text in one line, and whether it is about this mail and its recipient."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return code, _read_reply(said), True
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code > 0:
        # Other steps (log-in, MAIL FROM) would fail for every mail: that is ours to mend, and the mail waits.
        return error.smtp_code, _read_reply(error.smtp_error), isinstance(error, smtplib.SMTPDataError)
    return None


def _read_reply(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:200]


def _is_alive(connection: _Connection) -> bool:
    try:
        return connection.smtp.noop()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False


def _abandon(connection: _Connection) -> None:
    with suppress(OSError):
        connection.smtp.close()


def _quit(connection: _Connection) -> None:
    with suppress(smtplib.SMTPException, OSError):
        connection.smtp.quit()
    _abandon(connection)
