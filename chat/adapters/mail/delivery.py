"""The way of every mail: who may get it, how it is made, and what becomes of it.

Rule 1: a suppressed address gets nothing, but for the mail by which its owner verifies it again.
Rule 2: a mail that the server refuses is over: it is noted against the address when that is at fault, and logged when
  we are. One that the server cannot take now is the caller's to send again.
Rule 3: the log names neither addresses nor what a mail says.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from email.utils import parseaddr

from msgspec import Struct

from chat.adapters.mail.composing import Composer, Headers
from chat.domain.ids import now_ms
from chat.domain.mailboxes import encode_mailbox
from chat.domain.mailing import MailFailure, sign_recipient
from chat.errors import Invalid
from chat.ports.mail import MailRefused, MailTransport, OutgoingMail
from chat.ports.mailings import Mailings
from chat.settings import MailSettings
from chat.texts.letters import Letter

LOCAL_PART = 64  # RFC 5321, section 4.5.3.1.1
_NOBODY = "Rookery <rookery@chat.invalid>"  # where mails are files; nobody has this address (RFC 2606)
_logger = logging.getLogger(__name__)


class MailCounts(Struct):
    """Totals since the start: mails taken by the server, refused by it, and not sent to suppressed addresses."""

    sent: int = 0
    refused: int = 0
    suppressed: int = 0


class MailDelivery:
    """Sends letters. `clock` gives milliseconds since the epoch; `public_url` is where the page is."""

    def __init__(
        self,
        settings: MailSettings,
        *,
        public_url: str,
        transport: MailTransport,
        mailings: Mailings,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.public_url = public_url.rstrip("/")
        self.clock = clock
        self.counts = MailCounts()
        self._sender = settings.mail_from or _NOBODY
        self._return_path = parseaddr(settings.mail_return_path)[1]
        self._transport = transport
        self._mailings = mailings
        self._composer = Composer()
        self._secret = b""

    async def read_secret(self) -> bytes:
        """The secret that links and return paths are signed by."""
        self._secret = self._secret or await self._mailings.get_secret()
        return self._secret

    async def is_suppressed(self, address: str) -> bool:
        """Whether nothing is sent there."""
        return (await self._mailings.get_bounces(address)).is_suppressed

    def make_message_id(self, *parts: str) -> str:
        """A Message-ID that is the same for the same parts, so that a mail program shows a repeated mail once."""
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
        return f"<{digest}@{encode_mailbox(parseaddr(self._sender)[1]).rpartition('@')[2]}>"

    async def send_letter(
        self,
        recipient: str,
        letter: Letter,
        *,
        message_id: str,
        thread: tuple[str, ...] = (),
        one_click: str = "",
        verifies: bool = False,
    ) -> bool:
        """Send a letter; whether the server took it. Raises `Unavailable` when the same may succeed later.

        `verifies`: it is the mail by which the address is verified (rule 1).
        """
        if not verifies and await self.is_suppressed(recipient):
            self.counts.suppressed += 1
            return False
        signed = sign_recipient(await self.read_secret(), recipient)
        headers = Headers(
            sender=self._sender,
            recipient=recipient,
            message_id=message_id,
            now=self.clock(),
            thread=thread,
            delivery=signed,
            one_click=one_click,
        )
        try:
            mail = OutgoingMail(
                sender=self._make_return_path(signed),
                recipient=encode_mailbox(recipient),
                message=self._composer.compose_message(letter, headers),
            )
            await self._transport.send_mail(mail)
        except Invalid as error:
            await self._note_refusal(recipient, message_id, MailRefused(error.message, MailFailure.HARD))
            return False
        except MailRefused as error:
            await self._note_refusal(recipient, message_id, error)
            return False
        self.counts.sent += 1
        return True

    async def _note_refusal(self, recipient: str, message_id: str, error: MailRefused) -> None:
        """Rule 2."""
        self.counts.refused += 1
        if error.failure is MailFailure.OURS:
            _logger.error("the mail server refuses mails for reasons of ours: %s", error.message.partition(" ")[0])
            return
        after = await self._mailings.add_bounce(recipient, message_id, error.failure, error.message, self.clock())
        _logger.info("a mail was refused: %s%s", error.failure, ", the address is suppressed" * after.is_suppressed)

    def _make_return_path(self, signed: str) -> str:
        """Where a bounce goes: it names the recipient, where that fits (VERP)."""
        local, _, host = (self._return_path or encode_mailbox(parseaddr(self._sender)[1])).rpartition("@")
        detailed = f"{local}+{signed}"
        if not self._return_path or len(detailed) > LOCAL_PART or not detailed.isascii():
            return f"{local}@{host}"
        return f"{detailed}@{host}"
