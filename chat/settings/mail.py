"""The settings of mail: the server that takes mails, who sends them, and where bounces go."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from chat.domain.mailboxes import check_email
from chat.errors import Invalid
from chat.settings.values import Setting

_PORTS = {"smtp": 587, "smtps": 465}


class SmtpServer(Struct, frozen=True):
    """A mail server. With `implicit_tls`, a connection begins with TLS; else STARTTLS follows, where it is offered."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    implicit_tls: bool = False

    def __repr__(self) -> str:
        return f"SmtpServer({self.host!r}, {self.port})"  # never the password


class MailSettings(Struct, frozen=True, kw_only=True):
    """Mail: notifications of what stays unread, verification of addresses, password reset, security mails."""

    smtp_url: Annotated[
        str,
        Setting(
            "the mail server: `smtp://USER:PASSWORD@HOST:587`, with TLS by STARTTLS where the server offers it, or "
            "`smtps://…` with TLS from the start; special characters are percent-encoded. Without it, mails are files "
            "in `DATA/outbox`",
            pattern=r"smtps?://([^\s/@]+@)?(\[[0-9A-Fa-f:.]+\]|[^\s/@:\[\]?#]+)(:[1-9]\d{0,4})?/?",
            hint="smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST:465, with the characters :/?#[]@% of a "
            "user name or password percent-encoded",
            secret=True,
        ),
    ] = ""
    smtp_ca_file: Annotated[
        Path | None,
        Setting("certificates of the authority that signed the mail server's, in PEM; by default the system's"),
    ] = None
    smtp_timeout_seconds: Annotated[
        float, Setting("how long one step of a delivery waits for the mail server; then it is tried again", gt=0)
    ] = 20.0
    smtp_connections: Annotated[int, Setting("connections to the mail server, and so mails at once", ge=1, le=64)] = 4
    digest_minutes: Annotated[
        float,
        Setting("how long something stays unread before it is mailed; the next such mail comes a day later", gt=0),
    ] = 15.0
    mail_from: Annotated[
        str, Setting("who sends the mails, such as `Rookery <chat@example.org>`; needed with ROOKERY_SMTP_URL")
    ] = ""
    mail_return_path: Annotated[
        str,
        Setting(
            "where bounces go: an address whose mails your mail server hands to `rookery mail bounce`, also those to "
            "`NAME+ANYTHING@…`; by default that of ROOKERY_MAIL_FROM, without anything behind a `+`"
        ),
    ] = ""
    mail_outbox_files: Annotated[
        int, Setting("mails that `DATA/outbox` keeps where there is no mail server; the oldest goes", ge=1)
    ] = 1000

    def __repr__(self) -> str:
        return f"MailSettings({self.mail_from!r})"  # never the password

    @property
    def server(self) -> SmtpServer | None:
        """The server of the URL, which `check_mail` has checked."""
        if not self.smtp_url:
            return None
        parts = urlsplit(self.smtp_url)
        return SmtpServer(
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            implicit_tls=parts.scheme == "smtps",
        )


def check_mail(mail: MailSettings, public_url: str) -> Iterator[str]:
    """What is missing or contradicts itself. The URL of the server is never repeated: it has a password in it."""
    yield from _check_server(mail)
    for name, value in (("MAIL_FROM", mail.mail_from), ("MAIL_RETURN_PATH", mail.mail_return_path)):
        if value and not _is_mailbox(value):
            yield f"ROOKERY_{name}={value!r}: give one address, such as chat@example.org or Rookery <chat@example.org>"
    if mail.smtp_ca_file and not mail.smtp_ca_file.is_file():
        yield f"ROOKERY_SMTP_CA_FILE={str(mail.smtp_ca_file)!r}: this file does not exist"
    if mail.smtp_url and not mail.mail_from:
        yield "ROOKERY_SMTP_URL: set ROOKERY_MAIL_FROM, too: the address that mails come from"
    if mail.smtp_url and not public_url:
        yield "ROOKERY_SMTP_URL: set ROOKERY_PUBLIC_URL, too: mails link to the page, and cannot know where it is"


def _check_server(mail: MailSettings) -> Iterator[str]:
    try:
        server = mail.server
    except ValueError:
        yield "ROOKERY_SMTP_URL: give a port from 1 to 65535"
        return
    if server is None:
        return
    if bool(server.user) != bool(server.password):
        yield "ROOKERY_SMTP_URL: give both a user and a password, or neither"
    if not (server.user + server.password).isprintable():
        yield "ROOKERY_SMTP_URL: the user or the password contains a control character"


def _is_mailbox(value: str) -> bool:
    _, address = parseaddr(value) if value.isprintable() else ("", "")
    try:
        check_email(address)
    except Invalid:
        return False
    return True
