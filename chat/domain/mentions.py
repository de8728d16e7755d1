"""Who stands in a text as `@name`: one grammar for the server and the page (`pieces` in web/static/js/text.js).

Rule 1: code and addresses mention nobody: what stands between back-quotes, and from a scheme, from `www.`, or from a
  host with a path on, until a blank, or until punctuation that is not ASCII and does not stand within words, as `，`.
Rule 2: an `@` after a letter or digit of any script, a dot or a dash is part of a word, such as an e-mail address.
Rule 3: a name ends where none of its characters follows; one that a letter with an accent follows is another word.
Rule 4: a dot, a dash or an underscore at the end of a name may be the sentence's, or emphasis: the longest name that
  somebody has is the one that is mentioned.

`tests/support/mention_cases.json` holds the cases that both grammars are tested with.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from chat.domain.characters import MARKS
from chat.domain.text import fold_name

MOST_MENTIONS = 50
_WITHIN = "\u00b7\u2019\u2026\u2027\u30fb"
_AROUND = "".join(
    char
    for char in map(chr, range(0x80, 0x20000))
    if (unicodedata.category(char)[0] == "P" and unicodedata.category(char) not in ("Pd", "Pc") and char not in _WITHIN)
)
# Then the marks that change the order in which a text shows, blanks without a width, and full-width signs.
_ENDS = re.escape(_AROUND) + (
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_PIECES = re.compile(
    r"```[\s\S]+?```|`[^`\n]+`"  # rule 1
    r"|(?:[A-Za-z][A-Za-z0-9+.\-]{1,15}://|[Ww]{3}\."
    rf"|(?<![A-Za-z0-9.\-])[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+/)[^\s<>\"'`{_ENDS}]+"
    rf"|(?<![^\W_])(?<![.\-{MARKS}])"  # rule 2
    r"@([A-Za-z0-9_.\-]{2,32})(?![A-Za-z0-9_.\-\u00aa-\u024f\u0300-\u036f])"  # rule 3
)


def find_mentions(text: str) -> list[tuple[str, ...]]:
    """The first 50 mentions of a text, in order: of each, the folded names that may be meant, best first (rule 4)."""
    if "@" not in text:
        return []
    found = dict.fromkeys(_list_readings(match[1]) for match in _PIECES.finditer(text) if match[1])
    return list(found)[:MOST_MENTIONS]


def resolve_mentions(mentions: Sequence[tuple[str, ...]], ids: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of those who are mentioned, each once, in order. `ids` leads from the folded names that exist."""
    named = (next((ids[name] for name in readings if name in ids), None) for readings in mentions)
    return tuple(dict.fromkeys(user for user in named if user is not None))


def _list_readings(name: str) -> tuple[str, ...]:
    readings = [fold_name(name)]
    while len(readings[-1]) > 2 and readings[-1][-1] in "._-":
        readings.append(readings[-1][:-1])
    return tuple(readings)
