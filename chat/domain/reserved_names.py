"""Names that nobody can register, because others would take their owner for somebody else, or for a group."""

from __future__ import annotations

from chat.domain.text import fold_name
from chat.errors import Invalid

_SIGHTS = str.maketrans({"0": "o", "1": "l", "i": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b"})
_PAIRS = (("rn", "m"), ("vv", "w"))
_SEPARATORS = str.maketrans("", "", "_.-")


def check_not_reserved(name: str) -> None:
    """Raise `Invalid` for the name of a new account that is reserved. Accounts that exist keep their names."""
    if _read_by_sight(name) in _RESERVED:
        raise Invalid("`name` is reserved, or looks like a name that is; choose another", field="name")


def _read_by_sight(name: str) -> str:
    """What the name is read as at a glance: one letter for all that look like it, and no separators."""
    read = fold_name(name).translate(_SEPARATORS).translate(_SIGHTS)
    for pair, letter in _PAIRS:
        read = read.replace(pair, letter)
    return read


_RESERVED = frozenset(
    map(
        _read_by_sight,
        (
            *("admin", "admins", "administrator", "root", "sysadmin", "system", "server", "service", "rookery"),
            *("moderation", "moderator", "moderators", "staff", "support", "security", "official"),
            *("all", "channel", "everybody", "everyone", "here", "room", "you"),
            *("anonymous", "deleted", "nobody", "unknown", "abuse", "postmaster", "webmaster"),
        ),
    )
)
