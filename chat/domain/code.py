"""Where code stands in a text: one grammar for the server and the page (`findCode` in web/app/core/code.ts).

Rule 1: a fence is a line that begins with three or more back-quotes or tildes, behind marks of quotations and lists.
  Its code ends at the next line that has nothing but as many of them or more, in the same quotation. A fence that
  nothing ends is text, as far as its quotation goes.
Rule 2: elsewhere, code stands between two runs of equally many back-quotes on one line; three or more also over
  several.

Both take time that grows with the length of the text alone. `tests/support/mention_cases.json` has cases of it, since
code mentions nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_OPENS = re.compile(r"((?:[ \t]*(?:>|(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t])))*)[ \t]*(`{3,}(?=[^`\r\n]*[\r\n])|~{3,})")
_QUOTED = re.compile(r"[ \t]*>")
_CLOSES = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*(?:[\r\n]|$)")
_RUN = re.compile(r"`+")
_NEW_LINE = re.compile(r"[\r\n]")


def find_code(text: str) -> list[tuple[int, int]]:
    """Where code begins and ends in a text, its marks included, in order."""
    found: list[tuple[int, int]] = []
    done = 0
    for start, end in _find_fences(text):
        found += _find_spans(text, done, start)
        found.append((start, end))
        done = end
    return found + list(_find_spans(text, done, len(text)))


def _find_fences(text: str) -> Iterator[tuple[int, int]]:
    """Rule 1."""
    opened: re.Match[str] | None = None
    depth = 0
    for line in _LINE.finditer(text):
        if opened is not None:
            inside = _leave_quotation(text, line.start(), depth)
            if inside is not None:
                closing = _CLOSES.match(text, inside)
                if closing and closing[1].startswith(opened[2]):
                    yield opened.start(), line.end()
                    opened = None
                continue
        opened = _OPENS.match(text, line.start())
        depth = opened[1].count(">") if opened else 0


def _leave_quotation(text: str, at: int, depth: int) -> int | None:
    """Where a line goes on behind the marks of its quotation; None when it is not in it."""
    for _ in range(depth):
        mark = _QUOTED.match(text, at)
        if mark is None:
            return None
        at = mark.end()
    return at


def _find_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Rule 2."""
    runs = [match.span() for match in _RUN.finditer(text, start, end)]
    following: dict[int, int] = {}
    partners = [-1] * len(runs)
    for index in range(len(runs) - 1, -1, -1):
        length = runs[index][1] - runs[index][0]
        partners[index] = following.get(length, -1)
        following[length] = index
    index = 0
    while index < len(runs):
        (begins, within), partner = runs[index], partners[index]
        index += 1
        if partner < 0:
            continue
        if within - begins < 3 and _NEW_LINE.search(text, within, runs[partner][0]):
            continue
        yield begins, runs[partner][1]
        index = partner + 1
