"""Who stands in a text as `@name` or `@Display Name`: one grammar for the server and the page (`pieces` in
web/app/core/text.ts).

Rule 1: code and addresses mention nobody: code is what `find_code` finds; an address goes from a scheme, from `www.`,
  or from a host with a path on, until a blank, or until punctuation that is not ASCII and does not stand within words,
  as `，`.
Rule 2: an `@` after a letter or digit of any script, a dot or a dash is part of a word, such as an e-mail address.
Rule 3: a name ends where none of its characters follows; one that a letter with an accent follows is another word.
Rule 4: a dot, a dash or an underscore at the end of a name may be the sentence's, or emphasis: the longest name that
  somebody has is the one that is mentioned.
Rule 5: where nobody has the name, a display name is read: up to four words with single blanks between them, the longest
  that exactly one member of the room has. It counts without case and accents.

`tests/support/mention_cases.json` holds the cases that both grammars are tested with.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from operator import itemgetter

from msgspec import Struct

from chat.domain.characters import MARKS, list_characters
from chat.domain.code import find_code
from chat.domain.text import fold_display_name, fold_name

MOST_MENTIONS = 50
_WITHIN = "\u00b7\u2019\u2026\u2027\u30fb"
_AROUND = "".join(char for char in list_characters("P[oseif]") if not char.isascii() and char not in _WITHIN)
# Then the marks that change the order in which a text shows, blanks without a width, and full-width signs.
_ENDS = re.escape(_AROUND) + (
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_PIECES = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.\-]{1,15}://|[Ww]{3}\."  # rule 1
    rf"|(?<![A-Za-z0-9.\-])[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+/)[^\s<>\"'`{_ENDS}]+"
    rf"|(?<![^\W_])(?<![.\-{MARKS}])"  # rule 2
    r"@(?:([A-Za-z0-9_.\-]{2,32})(?![A-Za-z0-9_.\-\u00aa-\u024f\u0300-\u036f])"  # rule 3
    rf"|([^\W_][\w{MARKS}'’.\-]{{0,63}}))"
)
_SHOWN = re.compile(rf"@([^\W_][\w{MARKS}'’.\-]{{0,63}}(?: [^\W_][\w{MARKS}'’.\-]{{0,63}}){{0,3}})")  # rule 5
_MAY_END = "._-'’"


class Mention(Struct, frozen=True):
    """What may be meant by an `@`, best first: `names`, as `fold_name` has them; `display_names`, as
    `fold_display_name` has them."""

    names: tuple[str, ...]
    display_names: tuple[str, ...]


def find_mentions(text: str) -> list[Mention]:
    """The first 50 mentions of a text, in order."""
    if "@" not in text:
        return []
    found = [match for match in _PIECES.finditer(text) if match[1] or match[2]]
    code = find_code(text) if found else []  # rule 1
    outside = (match for match in found if not _is_within(match.start(), code))
    return list(dict.fromkeys(_read_mention(text, match) for match in outside))[:MOST_MENTIONS]


def _is_within(at: int, places: Sequence[tuple[int, int]]) -> bool:
    before = bisect_right(places, at, key=itemgetter(0)) - 1
    return before >= 0 and at < places[before][1]


def resolve_mentions(
    mentions: Sequence[Mention], ids: Mapping[str, str], displayed: Mapping[str, str]
) -> tuple[str, ...]:
    """The ids of those who are mentioned, each once, in order.

    `ids` leads from the folded names that exist; `displayed`, from the display names that one member of the room has.
    """
    found = (_choose(mention.names, ids) or _choose(mention.display_names, displayed) for mention in mentions)
    return tuple(dict.fromkeys(user for user in found if user is not None))


def list_display_names(mentions: Sequence[Mention], ids: Mapping[str, str]) -> set[str]:
    """The display names that may be meant where nobody has the name (rule 5)."""
    return {name for each in mentions if _choose(each.names, ids) is None for name in each.display_names}


def _choose(readings: Sequence[str], ids: Mapping[str, str]) -> str | None:
    return next((ids[name] for name in readings if name in ids), None)


def _read_mention(text: str, match: re.Match[str]) -> Mention:
    words = _SHOWN.match(text, match.end() - len(match[1] or match[2]) - 1)
    return Mention(
        _list_readings(match[1]) if match[1] else (),
        _list_display_readings(words[1]) if words else (),
    )


def _list_display_readings(words: str) -> tuple[str, ...]:
    """The words, and fewer of them from the end; each also without what may be the sentence's (rule 4)."""
    readings = []
    while words:
        readings += [words, words.rstrip(_MAY_END)]
        words = words.rpartition(" ")[0]
    return tuple(dict.fromkeys(map(fold_display_name, readings)))


def _list_readings(name: str) -> tuple[str, ...]:
    readings = [fold_name(name)]
    while len(readings[-1]) > 2 and readings[-1][-1] in "._-":
        readings.append(readings[-1][:-1])
    return tuple(readings)
