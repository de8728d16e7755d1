"""Names that nobody can take, because others would take their owner for somebody else, or for a group.

Rule 1: names are compared as they are read (`chat.domain.sight`), without what stands between letters; in a handle, a
digit that is used for a letter counts as the letter, too.
Rule 2: a display name is also reserved when all its words are, as in "System Support"; "Joe Root" is a name.
Rule 3: accounts that exist keep their names.
"""

from __future__ import annotations

import re

from chat.domain.models import DELETED_NAME
from chat.domain.sight import read_by_sight
from chat.errors import Invalid

_DIGITS = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b"})
_PAIRS = (("vv", "w"), ("rn", "m"))
_BETWEEN = re.compile(r"[\W_]+")


def check_not_reserved(name: str) -> None:
    """Raise `Invalid` for the name of a new account that is reserved."""
    if _read_word(name) in _RESERVED:
        raise Invalid("`name` is reserved, or looks like a name that is; choose another", field="name")


def check_display_name_not_reserved(name: str) -> None:
    """Raise `Invalid` for a new display name that is reserved."""
    words = {_read_word(word) for word in _BETWEEN.split(name)} - {""}
    said_by_words = words <= (_RESERVED | _FILLERS) and not words <= _FILLERS  # rule 2
    if said_by_words or _read_word(name) in _RESERVED:
        raise Invalid("`display_name` is reserved, or looks like a name that is; choose another", field="display_name")


def _read_word(name: str) -> str:
    """What the name is read as at a glance (rule 1)."""
    read = _BETWEEN.sub("", read_by_sight(name.translate(_DIGITS)))
    for pair, letter in _PAIRS:
        read = read.replace(pair, letter)
    return read


_RESERVED = frozenset(
    map(
        _read_word,
        (
            *("admin", "admins", "administrator", "root", "sysadmin", "system", "server", "service", "rookery"),
            *("moderation", "moderator", "moderators", "staff", "support", "security", "official"),
            *("all", "channel", "everybody", "everyone", "here", "room", "you"),
            *("anonymous", "deleted", "nobody", "unknown", "abuse", "postmaster", "webmaster", DELETED_NAME),
        ),
    )
)
_FILLERS = frozenset(map(_read_word, ("a", "the", "this", "team", "user", "bot", "chat", "help", "desk", "account")))
