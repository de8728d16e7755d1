"""What Unicode says of single characters: which are marks, and how texts are normalised at a bounded cost.

Rule 1: at most 30 marks follow each other, as in the Stream-Safe Text Format (UAX #15, section 13). To normalise sorts
  each run of marks, in time that grows with the square of its length.
Rule 2: what comes from outside is checked with `check_marks` before anything else is done to it.
Rule 3: nothing in the project calls `unicodedata.normalize` but `normalize`, which cuts longer runs before. What is
  stored may be older than rule 2, and what is dropped between two runs joins them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from typing import Literal

from chat.errors import Invalid

MARKS_IN_A_ROW = 30
_MARKED = range(0x300, 0x20000)  # all marks that are sorted stand here


def _find_sorted(characters: Iterable[str]) -> frozenset[str]:
    """Those whose decomposition begins with a character that has a combining class, and so is sorted."""
    combining, decomposition, decompose = unicodedata.combining, unicodedata.decomposition, unicodedata.normalize
    return frozenset(
        each
        for each in characters
        if combining(each) or (decomposition(each) and combining(decompose("NFKD", each)[0]))
    )


def write_class(characters: Iterable[str]) -> str:
    """The inside of a regular expression's class for these characters, in ranges: thousands compile at once so."""
    codes = sorted(map(ord, characters))
    starts = [code for before, code in zip([-2, *codes], codes, strict=False) if code != before + 1]
    ends = [code for code, after in zip(codes, [*codes[1:], -2], strict=True) if after != code + 1]
    return "".join(f"\\U{start:08x}-\\U{end:08x}" for start, end in zip(starts, ends, strict=True))


# The categories of the first two planes, of two letters each. To ask for so many takes a part of every start, so they
# are asked for once.
_CATEGORIES = "".join(map(unicodedata.category, map(chr, range(0x20000))))
_SORTED = _find_sorted(map(chr, _MARKED))
_MARKS = f"[{write_class(_SORTED)}]"


def list_characters(categories: str) -> list[str]:
    """The characters of the first two planes whose category matches, such as `M.`, in their order."""
    return [chr(match.start() // 2) for match in re.finditer(categories, _CATEGORIES)]


MARKS = write_class(list_characters("M."))
"""All marks, as the inside of a regular expression's class."""

# Marks that only decorate. Those of Thai and of the scripts of India are part of the spelling, and stay.
_DECORATION = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    "\ufe20-\ufe2f]+"
)
_TOO_MANY = re.compile(f"({_MARKS}{{{MARKS_IN_A_ROW}}}){_MARKS}+")
# This sorts out nearly all texts at a fraction of the price: a class is a table if all it names is in the first plane.
_EDGES = [-1, *sorted(ord(mark) for mark in _SORTED if mark < "\U00010000"), 0x10000]
_UNSORTED = "".join(f"\\U{low + 1:08x}-\\U{high - 1:08x}" for low, high in pairwise(_EDGES) if high - low > 1)
_MAYBE_TOO_MANY = re.compile(f"[^{_UNSORTED}]{{{MARKS_IN_A_ROW + 1}}}")


def has_too_many_marks(text: str) -> bool:
    """Whether more marks follow each other than rule 1 allows. Takes one pass."""
    return not text.isascii() and _MAYBE_TOO_MANY.search(text) is not None and _TOO_MANY.search(text) is not None


def check_marks(text: str, field: str) -> str:
    """The text as given; `Invalid` when too many marks follow each other (rule 2). Takes one pass."""
    if has_too_many_marks(text):
        raise Invalid(f"a letter has at most {MARKS_IN_A_ROW} accents or marks; remove some", field=field)
    return text


def cut_marks(text: str) -> str:
    """The text without the marks that are too many (rule 1). Takes one pass."""
    return _TOO_MANY.sub(r"\1", text) if has_too_many_marks(text) else text


def normalize(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """The text in a normal form of UAX #15, in time that grows with its length alone (rule 3)."""
    return unicodedata.normalize(form, cut_marks(text))


def is_decorating(character: str) -> bool:
    """Whether the character is a mark that a reader may leave out: an accent, a point of Hebrew, a vowel of Arabic."""
    return _DECORATION.fullmatch(character) is not None


def strip_decoration(text: str) -> str:
    """The text in NFC without the marks that a reader may leave out."""
    return text if text.isascii() else normalize("NFC", _DECORATION.sub("", normalize("NFD", text)))
