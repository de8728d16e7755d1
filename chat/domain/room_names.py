"""Which rooms a search by name finds.

Rule 1: each word of the search begins a word of the name, in any order; case and accents do not count.
Rule 2: in scripts that write no blanks between words, it may stand anywhere in the name.
Rule 3: a name that begins with the search as it was typed is found, so signs are searched for, too.
"""

from __future__ import annotations

import re

from msgspec import Struct

from chat.domain.terms import UNSPACED
from chat.domain.text import fold_display_name

_WORD = re.compile(r"[^\W_]+")


class NameSearch(Struct, frozen=True):
    """What is searched for: the whole as names are compared, and its words."""

    whole: str
    words: tuple[str, ...]


def read_name_search(text: str) -> NameSearch:
    """What a text searches for; one that is blank finds every name."""
    whole = fold_display_name(text.strip())
    return NameSearch(whole, tuple(_WORD.findall(whole)))


def finds_name(search: NameSearch, name: str) -> bool:
    """Whether the search finds a room of this name."""
    folded = fold_display_name(name.strip())
    if folded.startswith(search.whole):  # rule 3
        return True
    words = _WORD.findall(folded)
    return bool(search.words) and all(_finds_word(wanted, words, folded) for wanted in search.words)


def _finds_word(wanted: str, words: list[str], folded: str) -> bool:
    if any(word.startswith(wanted) for word in words):  # rule 1
        return True
    return UNSPACED.search(wanted) is not None and wanted in folded  # rule 2
