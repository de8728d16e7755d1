"""Reads a mail that came back: a delivery status notification (RFC 3464), as a mail server hands it to a program.

Rule 1: a bounce counts for the address that our signature names, and without one for nobody. The signature stands in
  the return path to which the bounce was sent, and in a header of the mail that is quoted.
Rule 2: what is no notification of a failure, such as an out-of-office answer, says nothing.
Rule 3: a stranger wrote it. The library raises for what is nested deep; what it cannot read says nothing, either.
"""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses

from msgspec import Struct

from chat.domain.mailing import MailFailure, judge_status, read_recipient

DELIVERY_HEADER = "X-Rookery-Delivery"
_ENVELOPE = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
_PARTS = 50
_LARGEST = 10 * 1024 * 1024


class ReturnedMail(Struct, frozen=True):
    """A mail to `address` came back. `mail` is its Message-ID, or that of the bounce."""

    address: str
    mail: str
    failure: MailFailure
    reason: str


def read_bounce(secret: bytes, source: bytes) -> ReturnedMail | None:
    """What came back; None when it is no bounce of ours. It raises nothing, whatever the source is."""
    try:
        return _read_notification(secret, source)
    except (RecursionError, ValueError, LookupError):  # rule 3
        return None


def _read_notification(secret: bytes, source: bytes) -> ReturnedMail | None:
    message = message_from_bytes(source[:_LARGEST])
    parts = list(_list_parts(message))
    fields = next(_find_failures(parts), None)
    if fields is None:
        return None  # rule 2
    quoted = _find_quoted(parts)
    address = next(_find_addresses(secret, message, quoted), None)  # rule 1
    if address is None:
        return None
    named = _read_header(quoted, "Message-ID") if quoted is not None else ""
    status = _read_header(fields, "Status")
    reason = _read_header(fields, "Diagnostic-Code") or status
    mail = named or _read_header(message, "Message-ID")
    return ReturnedMail(address, mail, judge_status(status), reason)


def _list_parts(message: Message) -> Iterator[Message]:
    for number, part in enumerate(message.walk()):
        if number >= _PARTS:
            return
        yield part


def _find_failures(parts: list[Message]) -> Iterator[Message]:
    """The fields of each recipient to whom delivery failed (RFC 3464, section 2.3)."""
    for part in parts:
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            for fields in part.get_payload():
                if isinstance(fields, Message) and _read_header(fields, "Action").lower() == "failed":
                    yield fields


def _find_quoted(parts: list[Message]) -> Message | None:
    """The mail that came back, or what the bounce quotes of it."""
    for part in parts:
        if part.get_content_type() == "message/rfc822" and part.is_multipart():
            inner = part.get_payload(0)
            if isinstance(inner, Message):
                return inner
        if part.get_content_type() == "text/rfc822-headers":
            payload = part.get_payload(decode=True)
            return message_from_bytes(payload if isinstance(payload, bytes) else b"")
    return None


def _find_addresses(secret: bytes, message: Message, quoted: Message | None) -> Iterator[str]:
    signed = [_read_header(quoted, DELIVERY_HEADER)] if quoted is not None else []
    values = [str(value) for name in _ENVELOPE for value in message.get_all(name, [])]
    for _, mailbox in getaddresses(values):
        signed.append(mailbox.rpartition("@")[0].partition("+")[2])
    for each in signed:
        address = read_recipient(secret, "".join(each.split()))  # it came in parts
        if address is not None:
            yield address


def _read_header(message: Message, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())
