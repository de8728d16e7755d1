"""Passwords as they are compared, by the profile OpaqueString of PRECIS (RFC 8265, section 4.2).

One password reaches the server in several forms: some keyboards compose `é`, others send two characters for it, and
blanks come in a dozen widths. Case and width are part of a password, and stay.

Rule 1: a password is prepared in the same way when it is set and when it is compared (`prepare_password`).
Rule 2: a new password has no character that nobody could type again (`check_new_password`). Control characters and what
  is invisible are refused, as section 4.2.1 asks; ZWJ and ZWNJ are part of words and emoji, and may stand.
Rule 3: a hash may be older than these rules, so the forms in which it may have been made open it too
  (`list_older_forms`).
"""

from __future__ import annotations

import unicodedata

from chat.domain.characters import check_marks, has_too_many_marks, normalize
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
    return password


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
