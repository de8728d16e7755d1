"""What a name and a text may be, and which words of a text are searched or mentioned."""

from __future__ import annotations

import re

from chat.domain.characters import check_marks
from chat.errors import Invalid, TooLong

NAME = re.compile(r"[A-Za-z0-9_.\-]{3,32}")
ROOM_NAME_LENGTH = 80
EMOJI_BYTES = 32
TEXT_BYTES = 16 * 1024
EMAIL_LENGTH = 254  # RFC 5321, section 4.5.3.1.3, as RFC 3696's erratum 1690 reads it
# One `@`, something before it, and a host with a dot behind it: a typing error is caught, and no address is refused.
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f.]+(\.[^@\s\x00-\x1f.]+)+")
_MENTION = re.compile(r"(?<![A-Za-z0-9_.\-])@([A-Za-z0-9_.\-]{3,32})")
_MENTIONS = 50


def check_name(name: str) -> str:
    """A user's name as given, or `Invalid`. Names are compared as `fold_name` has them."""
    if not NAME.fullmatch(name):
        raise Invalid("a name has 3 to 32 of letters, digits, `_`, `-` and `.`", field="name")
    return name


def fold_name(name: str) -> str:
    """The form in which names of users and rooms are stored for comparing, finding and sorting them."""
    return name.casefold()


def check_email(email: str) -> str:
    """An e-mail address as given, or `Invalid`."""
    if len(email) > EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        raise Invalid("`email` is not an e-mail address; write it as name@example.org", field="email")
    return email


def fold_email(email: str) -> str:
    """The form in which e-mail addresses are compared. Two that differ in more than case are two mailboxes."""
    return email.lower()


def check_room_name(name: str) -> str:
    """A room's name without outer spaces, or `Invalid`."""
    name = check_marks(name, "name").strip()
    if not 1 <= len(name) <= ROOM_NAME_LENGTH or not name.isprintable():
        raise Invalid(f"a room's name has 1 to {ROOM_NAME_LENGTH} printable characters", field="name")
    return name


def check_text(text: str, limit: int = TEXT_BYTES) -> str:
    """A message's text as given; `TooLong` over `limit` bytes of UTF-8.

    `Invalid` when it is empty, or has a NUL, or more marks in a row than `check_marks` takes.
    """
    check_marks(text, "text")
    if not text or text.isspace():
        raise Invalid("a text has at least one visible character", field="text")
    if "\0" in text:
        raise Invalid("a text has no NUL character; remove it", field="text")
    if len(text) > limit or (not text.isascii() and len(text.encode()) > limit):
        raise TooLong(f"a text has at most {limit} bytes of UTF-8; split it", field="text")
    return text


def check_emoji(emoji: str) -> str:
    """A reaction as given, or `Invalid`."""
    if (
        not emoji
        or len(emoji.encode()) > EMOJI_BYTES
        or emoji.isspace()
        or not emoji.replace("\u200d", "").isprintable()
    ):
        raise Invalid(f"an emoji has 1 to {EMOJI_BYTES} bytes and is visible", field="emoji")
    return emoji


def mentioned_names(text: str) -> list[str]:
    """Names that stand in the text as `@name`: each once, folded, in order, the first 50.

    A dot or dash that ends a name may be the sentence's: both readings are returned, the longer one first.
    """
    if "@" not in text:
        return []
    names: dict[str, None] = {}
    for found in _MENTION.findall(text):
        names[fold_name(found)] = None
        bare = fold_name(found.rstrip(".-"))
        if len(bare) >= 3:
            names[bare] = None
    return list(names)[:_MENTIONS]
