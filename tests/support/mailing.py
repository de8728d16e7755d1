"""Mail without a server: a transport that keeps mails in memory, and what stands around it."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

from chat.adapters.mail.delivery import MailDelivery
from chat.ports.mail import OutgoingMail
from chat.ports.mailings import Mailings
from chat.settings import MailSettings
from tests.support.builders import NOW
from tests.support.clocks import ManualClock

URL = "https://chat.example/under"
SETTINGS = MailSettings(mail_from="Rookery <chat@chat.example>", mail_return_path="bounces@chat.example")


class MemoryTransport:
    """`chat.ports.mail.MailTransport` in memory; the next calls raise what stands in `errors`."""

    def __init__(self) -> None:
        self.mails: list[OutgoingMail] = []
        self.errors: list[Exception] = []

    async def send_mail(self, mail: OutgoingMail) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.mails.append(mail)

    async def close(self) -> None:
        """Nothing is open."""

    @property
    def messages(self) -> list[EmailMessage]:
        """The messages, parsed as a mail program does."""
        return [parse_message(mail.message) for mail in self.mails]


def parse_message(raw: bytes) -> EmailMessage:
    """A message as a mail program reads it."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def read_part(message: EmailMessage, kind: str = "plain") -> str:
    """The text of a part: `plain` or `html`."""
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def make_delivery(transport: MemoryTransport, mailings: Mailings, settings: MailSettings = SETTINGS) -> MailDelivery:
    """A delivery at the time of the tests."""
    return MailDelivery(settings, public_url=URL, transport=transport, mailings=mailings, clock=ManualClock(NOW))
