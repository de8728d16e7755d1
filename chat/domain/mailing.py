"""Mail: whose fault a failure is, how long tokens live, and what links and return paths prove.

Rule 1: two hard bounces of different mails suppress an address: it gets nothing more until its owner verifies it again.
Rule 2: a hard bounce says that the address takes no mail. A failure that may pass is soft. One that is about us (our
  reputation, our log-in at the server, the contents) says nothing about the address.
Rule 3: a token that a mail carries is 256 random bits, of which only the digest is stored. It works once, and until it
  expires; a token for another password ends as well when the password changes, because it is bound to the present one.
Rule 4: a link to unsubscribe needs no log-in, so it is signed. It names its user and the day on which it was made.
Rule 5: a bounce counts only with the signature of the mail that bounced: else anybody could suppress anybody's address.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode, urlsafe_b64encode
from enum import StrEnum

from msgspec import Struct

from chat.domain.ids import check_id
from chat.domain.text import fold_email
from chat.errors import Invalid, Refused

SUPPRESSING = 2
LINK_DAYS = 400
_DAY_MS = 24 * 3600 * 1000
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])", re.ASCII)
_LINK = re.compile(r"([0-9a-f-]{36})\.([0-9a-z]{1,9})\.([\w-]{22})", re.ASCII)
_OURS = frozenset({500, 501, 502, 503, 504, 530, 534, 535, 538, 555})
_SOFT = frozenset({552})


class LinkChanged(Refused):
    """A signed link is not as it was made."""

    code = "link_changed"


class LinkExpired(Refused):
    """A link was right and is too old, or was used; a new one is needed."""

    code = "link_expired"
    status = 410


class TokenPurpose(StrEnum):
    """What the token of a mail is for: to verify an address, or to set another password."""

    VERIFY = "verify"
    RESET = "reset"


TOKEN_LIVES_MS = {TokenPurpose.VERIFY: _DAY_MS, TokenPurpose.RESET: 3600 * 1000}


class MailToken(Struct, frozen=True, kw_only=True):
    """A token as stored (rule 3). `email` is the address that it verifies, or was sent to. `expires` is in ms."""

    digest: bytes
    purpose: TokenPurpose
    user: str
    expires: int
    email: str = ""
    bound: bytes = b""


class Bounces(Struct, frozen=True, kw_only=True):
    """What came back from an address: of which mails it was a hard bounce, the last time (ms), and the last reason."""

    hard: tuple[str, ...] = ()
    last: int = 0
    reason: str = ""

    @property
    def is_suppressed(self) -> bool:
        """Whether the address gets no mail (rule 1)."""
        return len(self.hard) >= SUPPRESSING


class MailFailure(StrEnum):
    """Whose fault it is that a mail was not taken, or came back (rule 2)."""

    HARD = "hard"
    SOFT = "soft"
    OURS = "ours"


def add_bounce(bounces: Bounces, mail: str, failure: MailFailure, reason: str, now: int) -> Bounces:
    """The bounces with one more; `mail` is the Message-ID of the mail, which counts once."""
    hard = bounces.hard
    if failure is MailFailure.HARD and mail not in hard:
        hard = (*hard, mail)[-SUPPRESSING:]
    return Bounces(hard=hard, last=now, reason=reason[:200])


def judge_reply(code: int, text: str) -> MailFailure:
    """What a reply of a mail server (RFC 5321), 400 or above, says about the recipient."""
    if code < 500:
        return MailFailure.SOFT
    if code in _OURS:
        return MailFailure.OURS
    status = _STATUS.match(text.strip())
    if status is not None:
        return judge_status(status[0])
    return MailFailure.SOFT if code in _SOFT else MailFailure.HARD


def judge_status(status: str) -> MailFailure:
    """What an enhanced status code (RFC 3463), such as `5.1.1`, says about the recipient."""
    found = _STATUS.match(status.strip())
    if found is None or found[1] != "5":
        return MailFailure.SOFT
    subject, detail = int(found[2]), int(found[3])
    if subject in {3, 6, 7} or (subject, detail) in {(2, 3), (5, 0), (5, 1), (5, 2), (5, 4), (5, 5)}:
        return MailFailure.OURS
    return MailFailure.SOFT if (subject, detail) == (2, 2) else MailFailure.HARD  # 5.2.2: the mailbox is full


def bind_to_password(password_hash: str | None) -> bytes:
    """What a token for another password is bound to (rule 3): another one for every hash."""
    return hashlib.sha256((password_hash or "").encode()).digest()


def sign_link(secret: bytes, user: str, now: int) -> str:
    """The token of a link that unsubscribes this user (rule 4)."""
    made = _write_number(now // _DAY_MS)
    return f"{user}.{made}.{_sign_text(secret, f'unsubscribe {user} {made}')}"


def read_link(secret: bytes, token: str, now: int) -> str:
    """The user whom the link unsubscribes. Raises `LinkChanged` and `LinkExpired`."""
    found = _LINK.fullmatch(token)
    user, made, signature = found.groups() if found else ("", "", "")
    expected = _sign_text(secret, f"unsubscribe {user} {made}")
    if not found or not hmac.compare_digest(signature, expected) or not _is_user(user):
        raise LinkChanged("this link is not complete, or was changed; use the one in the mail as it is", field="token")
    if now // _DAY_MS - int(made, 36) > LINK_DAYS:
        raise LinkExpired("this link is too old; use the one in a newer mail", field="token")
    return user


def sign_recipient(secret: bytes, address: str) -> str:
    """What proves that a mail went to this address (rule 5). It may stand before the `@` of a return path."""
    folded = fold_email(address)
    mac = hmac.digest(secret, _encode(f"recipient {folded}"), "sha256")[:10]
    return f"{folded.replace('@', '=')}={b32encode(mac).decode().lower()}"


def read_recipient(secret: bytes, signed: str) -> str | None:
    """The address in what `sign_recipient` made, in whatever case it comes back; None when it was not made so."""
    mailbox, _, mac = signed.lower().rpartition("=")
    local, _, host = mailbox.rpartition("=")
    address = f"{local}@{host}"
    expected = _encode(sign_recipient(secret, address))
    return address if mac and hmac.compare_digest(expected, _encode(signed.lower())) else None


def _sign_text(secret: bytes, text: str) -> str:
    return urlsafe_b64encode(hmac.digest(secret, text.encode(), "sha256")[:16]).decode().rstrip("=")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a header of a damaged mail may have lone surrogates


def _write_number(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number or not text:
        number, digit = divmod(number, 36)
        text = digits[digit] + text
    return text


def _is_user(user: str) -> bool:
    try:
        check_id(user)
    except Invalid:
        return False
    return True
