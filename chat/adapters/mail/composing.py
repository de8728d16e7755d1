"""Makes a message (RFC 5322) of a letter: text and HTML, and the headers that mail programs and servers act on.

Rule 1: what users wrote never becomes a header of its own: control characters and line ends are taken out of every
  value that goes into a header, and the library refuses what is left of them.
Rule 2: in HTML, everything that the letter says is escaped; links are made by us.
Rule 3: nothing is loaded from elsewhere: no images, no fonts, no scripts.
Rule 4: a mail says that a program sent it (RFC 3834), so that no program answers.
"""

from __future__ import annotations

import textwrap
import unicodedata
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from msgspec import Struct

from chat.domain.mailboxes import encode_mailbox
from chat.texts.letters import Letter

SUBJECT_CHARACTERS = 150
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Headers(Struct, frozen=True, kw_only=True):
    """What a mail needs beside its letter. `thread` are Message-IDs, the oldest first; `now` is in milliseconds.

    `delivery` is the signed recipient, by which a bounce is recognised; `one_click` is where a mail program
    unsubscribes (RFC 8058).
    """

    sender: str
    recipient: str
    message_id: str
    now: int
    thread: tuple[str, ...] = ()
    delivery: str = ""
    one_click: str = ""


class Composer:
    """Makes messages; one for all mails of a process."""

    def __init__(self) -> None:
        loader = PackageLoader("chat.adapters.mail")
        self._templates = Environment(
            loader=loader,
            autoescape=select_autoescape(("html",)),  # rule 2
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["quote"] = _quote_lines

    def compose_message(self, letter: Letter, headers: Headers) -> bytes:
        """The message in bytes with CRLF. Raises `Invalid` for a recipient that no mail can go to."""
        recipient = encode_mailbox(headers.recipient)
        message = EmailMessage(policy=SMTP if recipient.isascii() else SMTPUTF8)
        message["Subject"] = clean_header(letter.subject, SUBJECT_CHARACTERS)
        message["From"] = _write_sender(headers.sender)
        message["To"] = recipient
        message["Date"] = format_datetime(datetime.fromtimestamp(headers.now // 1000, UTC))
        message["Message-ID"] = headers.message_id
        if headers.thread:
            message["In-Reply-To"] = headers.thread[-1]
            message["References"] = " ".join(headers.thread)
        message["Auto-Submitted"] = "auto-generated"  # rule 4
        message["X-Auto-Response-Suppress"] = "All"
        if headers.delivery.isascii() and headers.delivery:
            # In parts, between which a line may end: the library would encode a longer line (RFC 2047), and readers of
            # bounces would not know it again.
            message["X-Rookery-Delivery"] = " ".join(textwrap.wrap(headers.delivery, 40, break_on_hyphens=False))
        if headers.one_click:
            message["List-Unsubscribe"] = f"<{headers.one_click}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        names = {"letter": letter, "sender_name": parseaddr(headers.sender)[0] or "Rookery"}
        message.set_content(self._templates.get_template("mail.txt").render(names), cte="quoted-printable")
        html = self._templates.get_template("mail.html").render(names)
        message.add_alternative(html, subtype="html", cte="quoted-printable")
        message["Content-Language"] = letter.language
        return message.as_bytes()


def clean_header(text: str, limit: int) -> str:
    """A text as a value of a header (rule 1): one line, without control characters and overrides of direction."""
    one_line = " ".join(text.split())
    kept = (each for each in one_line if unicodedata.category(each) not in {"Cc", "Cs"} and each not in _OVERRIDES)
    # `=?` begins an encoded word (RFC 2047): the library would decode one that a user wrote, line ends and all.
    return "".join(kept).replace("=?", "= ?")[:limit].strip()


def _write_sender(mailbox: str) -> Address:
    name, address = parseaddr(mailbox)
    return Address(display_name=clean_header(name, SUBJECT_CHARACTERS), addr_spec=encode_mailbox(address))


def _quote_lines(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())
