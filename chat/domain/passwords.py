"""Passwords as they are compared, by the profile OpaqueString of PRECIS (RFC 8265, section 4.2).

One password reaches the server in several forms: some keyboards compose `é`, others send two characters for it, and
blanks come in a dozen widths. Case and width are part of a password, and stay.

Rule 1: a password is prepared in the same way when it is set and when it is compared (`prepare_password`).
Rule 2: a new password has no character that nobody could type again (`check_new_password`). Control characters and what
  is invisible are refused, as section 4.2.1 asks; ZWJ and ZWNJ are part of words and emoji, and may stand.
Rule 2a: a new password is none that a stranger tries first (NIST SP 800-63B, section 3.1.1.2): one that many people
  use, one character or two again and again, a row such as `12345678`, or the name of the user.
Rule 3: a hash may be older than these rules, so the forms in which it may have been made open it too
  (`list_older_forms`).
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files
from itertools import pairwise

from chat.domain.characters import check_marks, has_too_many_marks, normalize
from chat.domain.text import fold_name
from chat.domain.visible import drop_ignorable
from chat.errors import Invalid

_JOINERS = str.maketrans("", "", "\u200c\u200d")
_SPACES = dict.fromkeys((160, 5760, *range(8192, 8203), 8239, 8287, 12288), " ")


def check_new_password(password: str) -> str:
    """The password of an account as given, or `Invalid` (rule 2). How long it has to be is not decided here."""
    check_marks(password, "password")
    shown = password.translate(_JOINERS)
    if drop_ignorable(shown) != shown or any(unicodedata.category(character) == "Cc" for character in shown):
        raise Invalid("`password` contains an invisible or control character; remove it", field="password")
    if is_easy_to_guess(password):
        raise Invalid("`password` is one that many people use, and is tried first; choose another", field="password")
    return password


def check_not_name(password: str, name: str, *, field: str = "password") -> None:
    """Raises `Invalid`, naming `field`, for a password that is the user's name (rule 2a)."""
    if fold_name(password) == fold_name(name):
        raise Invalid(f"`{field}` is the name of the account; choose another", field=field)


def is_easy_to_guess(password: str) -> bool:
    """Whether strangers try it first (rule 2a), whatever the case of its letters."""
    folded = password.casefold()
    steps = {ord(after) - ord(before) for before, after in pairwise(folded)}
    return len(set(folded)) <= 2 or steps in ({1}, {-1}) or folded in _read_common_passwords()


@cache
def _read_common_passwords() -> frozenset[str]:
    text = (files("chat.domain") / "common_passwords.txt").read_text("ascii")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split(" "))


def prepare_password(password: str) -> str:
    """The form of a password that is hashed: NFC, with U+0020 for every blank (rule 1)."""
    if password.isascii() or has_too_many_marks(password):  # the latter was never set by rule 2, and stays as it is
        return password
    return normalize("NFC", password.translate(_SPACES))


def list_older_forms(password: str) -> list[str]:
    """The forms besides `prepare_password` from which a hash may have been made before (rule 3): as typed, and NFD."""
    if password.isascii() or has_too_many_marks(password):
        return []
    forms = dict.fromkeys((password, normalize("NFD", password)))
    return [form for form in forms if form != prepare_password(password)]
