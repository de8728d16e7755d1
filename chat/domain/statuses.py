"""The status of a user: what they are doing, in a few words, perhaps until a time."""

from __future__ import annotations

from chat.domain.characters import check_marks, normalize
from chat.domain.emoji import check_emoji
from chat.domain.models import UserStatus
from chat.domain.visible import drop_invisible, is_one_line
from chat.errors import Invalid

STATUS_LENGTH = 100


def check_status_text(text: str) -> str:
    """A status text as it is stored: in NFC, without outer blanks and what nobody sees. Or `Invalid`."""
    text = drop_invisible(normalize("NFC", check_marks(text, "text")))
    if len(text) > STATUS_LENGTH or (text and not is_one_line(text)):
        raise Invalid(f"a status has at most {STATUS_LENGTH} characters, in one line", field="text")
    return text


def make_status(emoji: str, text: str, until: int | None, now: int) -> UserStatus:
    """A new status. Raises `Invalid`, with the field."""
    if not emoji and not text:
        raise Invalid("a status has an emoji, a text, or both", field="text")
    if until is not None and until <= now:
        raise Invalid("the end of a status lies ahead; leave it out for no end", field="until")
    return UserStatus(check_emoji(emoji) if emoji else "", text, until)


def current_status(status: UserStatus | None, now: int) -> UserStatus | None:
    """The status, unless it has ended."""
    return None if status is None or (status.until is not None and status.until <= now) else status
