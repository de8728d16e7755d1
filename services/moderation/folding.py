"""Folding: every way to draw a letter becomes the one letter that it is read as.

Rule 1: case, width and other compatibility forms (NFKC), decorating marks, invisible characters, and look-alikes of
other scripts (Unicode's confusables, UTS 39) are taken away.
Rule 2: what is folded stays as it is when it is folded again.
Rule 3: folding never raises, and takes time in proportion to the text; of marks that follow each other only so many
count as `chat.domain.characters` allows.
Rule 4: the words of the rules are folded by the same function, so a script that loses a distinction loses it on both
sides, and still finds its words.

A character is folded once and remembered (`_Table`): the work for a text is then one `str.translate`, in C.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import chain
from typing import Any

from confusable_homoglyphs.confusables import confusables_data

from chat.domain.characters import is_decorating, normalize

_PLAIN = str.maketrans({chr(code): chr(code).lower() for code in range(128)})
_KEPT_BELOW = 0x20000  # what an attacker can make the table remember: some megabytes at most

# Blank or invisible, and yet a letter or a mark by its category.
_INVISIBLE = frozenset(map(chr, (0x034F, 0x0640, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0xFFFC)))
# What Unicode's confusables leave out: Cyrillic letters whose capitals are those of Latin, and drawn-over letters.
_CYRILLIC = dict(zip("вкмнт", "bkmht", strict=True))
_VARIANT = re.compile(r"LATIN (?:LETTER SMALL CAPITAL|SMALL LETTER) ([A-Z])(?: WITH .*)?")
_ENCLOSED = ((0x1F150, "a"), (0x1F170, "a"), (0x1F1E6, "a"))  # three alphabets of signs that have no decomposition


def fold_text(text: str) -> str:
    """The text in the letters that it is read as. See the module."""
    if text.isascii():
        return text.translate(_PLAIN)
    folded = normalize("NFC", text).translate(_TABLE)
    # Rule 2: letters that came together when a mark between them went may compose to one that folds again. Each round
    # is shorter than the one before, so this ends.
    while (composed := normalize("NFC", folded)) != folded:
        folded = composed.translate(_TABLE)
    return folded


class _Table(dict[int, str]):
    """Folds single characters, and remembers them (rule 3)."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        if code < _KEPT_BELOW:
            self[code] = folded
        return folded


def _fold_character(character: str) -> str:
    code = ord(character)
    for first, letter in _ENCLOSED:
        if first <= code < first + 26:
            return chr(ord(letter) + code - first)
    while True:  # rule 2: until nothing changes any more
        unfolded = normalize("NFKD", character).casefold()
        composed = normalize("NFC", "".join(filter(_is_read, normalize("NFKD", unfolded))))
        folded = "".join(_READ_AS.get(each, each) for each in composed)
        if folded == character:
            return folded
        character = folded


def _is_read(character: str) -> bool:
    """Whether the character is more than decoration."""
    code = ord(character)
    if character in _INVISIBLE or 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
        return False
    if is_decorating(character):
        return False
    return unicodedata.category(character) not in {"Cf", "Me", "Cn", "Co", "Cs"}


def _look_alikes(data: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """Character → the letter or digit of ASCII that it looks like.

    Hebrew, Arabic and the wide scripts of East Asia are left out: a stroke in them may look like an `l`, but nobody
    reads it so.
    """
    found: dict[str, str] = {}
    for character, likes in data.items():
        if len(character) != 1 or character.isascii() or not _may_be_read_as_latin(character):
            continue
        targets = [like["c"] for like in likes if len(like["c"]) == 1 and like["c"].isascii() and like["c"].isalnum()]
        if targets:
            found[character] = targets[0].lower()
    return {**found, **_list_variants(), **_CYRILLIC}


def _list_variants() -> dict[str, str]:
    """Letters of Latin with a stroke, a hook or a tail, and small capitals, which have no decomposition."""
    codes = chain(range(0x80, 0x3400), range(0xA000, 0xABFF))  # between them is Chinese alone
    named = ((chr(code), _VARIANT.fullmatch(unicodedata.name(chr(code), ""))) for code in codes)
    return {character: name[1].lower() for character, name in named if name}


def _may_be_read_as_latin(character: str) -> bool:
    if unicodedata.bidirectional(character) in {"R", "AL", "AN"}:
        return False
    return unicodedata.east_asian_width(character) not in {"W", "F", "H"}


_READ_AS = _look_alikes(confusables_data)
_TABLE = _Table()
