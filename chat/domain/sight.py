"""What a name is read as at a glance: two names that look the same are read as the same.

Rule 1: what looks alike is Unicode's: a character is read as its prototype in the data of UTS #39 (`confusables.txt`,
  which the package confusable-homoglyphs carries), also where the prototype is several characters, as `rn` is for `m`.
Rule 2: case, width, accents and what is invisible do not count. A capital is looked up before it loses its case, for
  the capital of Greek eta looks like `H`. Since `I` looks like `l`, `i` is read as `l`, too.
Rule 3: to read what was read already changes nothing. The time grows with the length alone.
"""

from __future__ import annotations

from typing import Any

from confusable_homoglyphs.confusables import confusables_data

from chat.domain.characters import normalize, strip_decoration
from chat.domain.visible import drop_ignorable

_ROUNDS = 5  # a prototype may be a capital, or have an accent


def read_by_sight(name: str) -> str:
    """The letters that a name is read as. They are for comparing, and never shown."""
    for _ in range(_ROUNDS):
        plain = strip_decoration(normalize("NFKD", drop_ignorable(name)))  # rule 2
        read = plain.translate(_PROTOTYPES).casefold().translate(_PROTOTYPES)  # rule 1
        if read == name:  # rule 3
            break
        name = read
    return name


def _find_prototypes(data: dict[str, list[dict[str, Any]]]) -> dict[int, str]:
    """Character → what is read in its place.

    The data lists of each character what looks like it, in both directions. So all that are linked are one class, and
    its plainest member stands for it. A character that looks like several at once is read as these.
    """
    classes: dict[str, set[str]] = {}
    several: dict[int, str] = {}
    for key, likes in data.items():
        if len(key) > 1:
            continue
        others = [like["c"].strip("\u200e") for like in likes]  # marks of direction stand around Arabic and Hebrew
        if len(others) == 1 and len(others[0]) > 1:
            several[ord(key)] = others[0]
        for other in others:
            if len(other) == 1:
                merged = classes.get(key, {key}) | classes.get(other, {other})
                classes.update(dict.fromkeys(merged, merged))
    sets = {id(members): members for members in classes.values()}  # the members of a class share one
    plainest = {number: min(members, key=_plainness) for number, members in sets.items()}
    single = {ord(key): plainest[id(members)] for key, members in classes.items()}
    return {**single, **several, ord("i"): "l"}


def _plainness(character: str) -> tuple[bool, bool, bool, str]:
    return not character.isascii(), not character.isalpha(), not character.islower(), character


_PROTOTYPES = _find_prototypes(confusables_data)
