"""What a name and a text may be, and in which form they are compared."""

from __future__ import annotations

import re

from chat.domain.characters import check_marks, normalize, strip_decoration
from chat.domain.visible import drop_ignorable, drop_invisible, has_visible, is_one_line
from chat.errors import Invalid, TooLong

NAME = re.compile(r"[A-Za-z0-9_.\-]{2,32}")
TOPIC_LENGTH = 250
DESCRIPTION_LENGTH = 1000
ROOM_NAME_LENGTH = 80
DISPLAY_NAME_LENGTH = 64
TEXT_BYTES = 16 * 1024


def check_name(name: str) -> str:
    """A user's name as given, or `Invalid`. Names are compared as `fold_name` has them."""
    if not NAME.fullmatch(name):
        raise Invalid("a name has 2 to 32 of letters, digits, `_`, `-` and `.`", field="name")
    return name


def fold_name(name: str) -> str:
    """The form in which names of users and rooms are stored for comparing, finding and sorting them.

    Without case, and without what nobody sees: so a name is found however it was typed.
    """
    return name.casefold() if name.isascii() else drop_ignorable(normalize("NFC", name)).casefold()


def fold_email(email: str) -> str:
    """The form in which e-mail addresses are compared. Two that differ in more than case are two mailboxes."""
    return email.lower()


def check_room_name(name: str) -> str:
    """A room's name as it is stored: in NFC, without outer blanks and what nobody sees. Or `Invalid`."""
    return _check_shown_name(name, ROOM_NAME_LENGTH, "a room's name", "name")


def check_topic(topic: str) -> str:
    """A room's topic as it is stored, by the rules of its name, but it may be empty. Or `Invalid`."""
    return _check_shown_name(topic, TOPIC_LENGTH, "a topic", "topic") if has_visible(topic) else ""


def check_description(text: str) -> str:
    """A room's description as it is stored: in NFC, without outer blanks; it may have several lines. Or `Invalid`."""
    text = normalize("NFC", check_marks(text, "description")).strip() if has_visible(text) else ""
    if len(text) > DESCRIPTION_LENGTH or "\0" in text:
        raise Invalid(f"a description has at most {DESCRIPTION_LENGTH} characters, and no NUL", field="description")
    return text


def check_display_name(name: str) -> str:
    """A user's display name as it is stored, by the rules of `check_room_name`. Or `Invalid`."""
    return _check_shown_name(name, DISPLAY_NAME_LENGTH, "a display name", "display_name")


def _check_shown_name(name: str, length: int, noun: str, field: str) -> str:
    name = drop_invisible(normalize("NFC", check_marks(name, field)))
    if not len(name) <= length or not has_visible(name) or not is_one_line(name):
        raise Invalid(f"{noun} has 1 to {length} visible characters, in one line", field=field)
    return name


def fold_display_name(name: str) -> str:
    """The form in which display names are searched and mentioned: as `fold_name` has it, and without accents."""
    return fold_name(strip_decoration(name))


def check_text(text: str, limit: int = TEXT_BYTES) -> str:
    """A message's text as given; `TooLong` over `limit` bytes of UTF-8.

    `Invalid` when it shows nothing, or has a NUL, or more marks in a row than `check_marks` takes.
    """
    check_marks(text, "text")
    if not has_visible(text):
        raise Invalid("a text has at least one visible character", field="text")
    if "\0" in text:
        raise Invalid("a text has no NUL character; remove it", field="text")
    if len(text) > limit or (not text.isascii() and len(text.encode()) > limit):
        raise TooLong(f"a text has at most {limit} bytes of UTF-8; split it", field="text")
    return text
