"""Sending mails: what takes a finished mail, and what makes the mails about accounts."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from chat.domain.mailing import MailFailure
from chat.errors import RookeryError
from chat.wire.account_mails import AccountMail


class OutgoingMail(Struct, frozen=True, kw_only=True):
    """A mail as it leaves: the envelope (RFC 5321), and the message in bytes with CRLF (RFC 5322)."""

    sender: str
    recipient: str
    message: bytes


class MailRefused(RookeryError):
    """The mail was not taken, and will not be: `failure` says whose fault that is, the message what the server said."""

    code = "mail_refused"

    def __init__(self, message: str, failure: MailFailure) -> None:
        super().__init__(message)
        self.failure = failure


class MailTransport(Protocol):
    """Takes mails: a mail server, or a folder."""

    async def send_mail(self, mail: OutgoingMail) -> None:
        """Hand a mail over. It is taken when this returns; after an error, it may have been taken all the same.

        Raises `Unavailable` when the same may succeed later, and `MailRefused` when it will not.
        """
        ...

    async def close(self) -> None:
        """Close what is open, within some seconds."""
        ...


class AccountMailSender(Protocol):
    """Makes and sends mails about accounts."""

    async def send_account_mail(self, mail: AccountMail) -> None:
        """Send it, unless there is nobody to get it: no such account, no verified address, a suppressed one.

        Raises `Unavailable` when the same may succeed later. The same mail may come again after a crash.
        """
        ...
