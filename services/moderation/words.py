"""Word lists: any number of words and phrases, found in one pass (Aho-Corasick), and then looked at one by one.

A word of a list stands for itself and for every disguise that `folding` and `streams` see through. It counts where it
stands alone; `word*`, `*word` and `*word*` count within other words, too. In scripts without blanks between words every
place will do. A phrase has blanks. What an allowed word covers does not count: so `Scunthorpe` stays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate

from ahocorasick_rs import AhoCorasick
from msgspec import Struct

from services.moderation.folding import fold_text
from services.moderation.streams import Layout, join_letters, list_readings, squeeze_runs, word_edges

LONGEST = 100
_NEVER_DOUBLE = frozenset("ahijkquvwxy")
"""Letters that ordinary words do not double: two of them are a disguise. Of the others, three are."""


class Word(Struct, frozen=True):
    """A word of a list, ready to be compared. Made by `parse`.

    `stream` is squeezed, and `runs` tells how often each of its letters stood; `blanks` are the runs before or in which
    the phrase has a blank.
    """

    stream: str
    runs: tuple[int, ...]
    blanks: tuple[int, ...]
    open_start: bool
    open_end: bool


class Entry(Struct, frozen=True):
    """A word of rule number `rule`; or one that the rule (None: every rule) allows."""

    word: Word
    rule: int | None
    allowed: bool = False


Span = tuple[int, int]


def parse_word(text: str) -> Word:
    """The word in a line of a list. Raises `ValueError`, with the reason, for one that cannot be searched."""
    if len(text) > LONGEST:
        raise ValueError(f"a word has at most {LONGEST} characters")
    bare = text.strip()
    open_start, open_end = bare.startswith("*"), bare.endswith("*")
    pieces = [join_letters(piece) for piece in fold_text(bare.strip("*")).split()]
    joined = "".join(pieces)
    if len(joined) < 2 and not (joined and not joined.isascii()):
        raise ValueError("a word has at least two letters or digits")
    if "*" in bare.strip("*"):
        raise ValueError("`*` stands at the beginning or the end of a word; write `fck` to find `f*ck`")
    starts = [j for j, letter in enumerate(joined) if j == 0 or letter != joined[j - 1]]
    runs = tuple(after - start for start, after in zip(starts, [*starts[1:], len(joined)], strict=True))
    return Word(squeeze_runs(joined), runs, _blank_runs(pieces, starts), open_start, open_end)


def _blank_runs(pieces: Sequence[str], starts: Sequence[int]) -> tuple[int, ...]:
    found, place = [], 0
    for piece in pieces[:-1]:
        place += len(piece)
        found.append(max(run for run, start in enumerate(starts) if start <= place))
    return tuple(found)


class WordIndex:
    """All words of all rules."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries: dict[str, list[Entry]] = {}
        for entry in entries:
            same = self._entries.setdefault(entry.word.stream, [])
            if entry not in same:
                same.append(entry)
        self._streams = list(self._entries)
        self._open_start = [any(entry.word.open_start for entry in self._entries[each]) for each in self._streams]
        self._open_end = [any(entry.word.open_end for entry in self._entries[each]) for each in self._streams]
        self._automaton = AhoCorasick(self._streams)

    def find_rules(self, folded: str, rules: Collection[int]) -> set[int]:
        """Those of these rules that have a word in the folded text."""
        if not self._streams:
            return set()
        hits: list[tuple[Span, int]] = []
        allowed: dict[int | None, list[Span]] = {}
        for reading in list_readings(folded):
            for span, entry in self._find_hits(reading, folded, rules):
                if entry.allowed:
                    allowed.setdefault(entry.rule, []).append(span)
                elif entry.rule is not None:
                    hits.append((span, entry.rule))
        covers = {rule: _Cover(spans) for rule, spans in allowed.items()}
        return {
            rule for span, rule in hits if not any(of in covers and covers[of].contains(span) for of in (None, rule))
        }

    def _find_hits(self, reading: str, folded: str, rules: Collection[int]) -> Iterator[tuple[Span, Entry]]:
        found = self._find_matches(reading)
        if not found:
            return
        layout = Layout(reading, folded)
        for number, start, end in found:
            for entry in self._entries[self._streams[number]]:
                if entry.rule is not None and entry.rule not in rules:
                    continue
                span = _find_place(layout, start, end - 1, entry.word)
                if span is not None:
                    yield (layout.places[span[0]], layout.places[span[1]]), entry

    def _find_matches(self, reading: str) -> list[tuple[int, int, int]]:
        """Number of the stream, start and end, of what is in the text and does not merely run across words."""
        found: list[tuple[int, int, int]] = self._automaton.find_matches_as_indexes(
            squeeze_runs(join_letters(reading)), overlapping=True
        )
        known = word_edges(reading) if found else None
        if known is None:
            return found
        starts, ends = known
        return [
            hit
            for hit in found
            if (hit[1] in starts or self._open_start[hit[0]]) and (hit[2] in ends or self._open_end[hit[0]])
        ]


class _Cover:
    """Spans, asked in logarithmic time whether one of them contains another span: a text may hold thousands of both."""

    def __init__(self, spans: Collection[Span]) -> None:
        ordered = sorted(spans)
        self._lows = [low for low, _ in ordered]
        self._reach = list(accumulate((high for _, high in ordered), max))  # of all that begin no later

    def contains(self, span: Span) -> bool:
        before = bisect_right(self._lows, span[0])
        return before > 0 and self._reach[before - 1] >= span[1]


def _find_place(layout: Layout, start: int, end: int, word: Word) -> Span | None:
    """The first and the last letter of the word where its runs begin and end so; None when it does not stand there."""
    for begin in _find_starts(layout, start, word):
        for last in _find_ends(layout, end, word):
            if begin <= last and _stands_between(layout, start, (begin, last), word):
                return begin, last
    return None


def _find_starts(layout: Layout, run: int, word: Word) -> Iterator[int]:
    """Where the word may begin in its first run: at the outermost or the innermost beginning of a word there."""
    first, last = layout.first[run], layout.last[run]
    if word.open_start:
        yield first
        return
    outer = next((j for j in range(first, last + 1) if layout.may_start(j)), None)
    if outer is not None:
        yield outer
        yield next(j for j in range(last, outer - 1, -1) if layout.may_start(j))


def _find_ends(layout: Layout, run: int, word: Word) -> Iterator[int]:
    """Where it may end in its last run."""
    first, last = layout.first[run], layout.last[run]
    if word.open_end:
        yield last
        return
    outer = next((j for j in range(last, first - 1, -1) if layout.may_end(j)), None)
    if outer is not None:
        yield outer
        yield next(j for j in range(first, outer + 1) if layout.may_end(j))


def _stands_between(layout: Layout, start: int, span: Span, word: Word) -> bool:
    """Whether the word, whose first run has the number `start`, stands between these letters."""
    begin, last = span
    for number, wanted in enumerate(word.runs):
        low = max(layout.first[start + number], begin)
        high = min(layout.last[start + number], last)
        if not _fits_run(high - low + 1, wanted, word.stream[number]):
            return False
    letters = layout.count_unchanged(begin, last)
    if not letters and any(letter.isalpha() for letter in word.stream):
        return False  # a number that could be read as a word is a number
    spread = layout.gaps_within(begin, last)
    if spread and 2 * letters < sum(letter.isalpha() for letter in word.stream):
        return False
    return layout.count_word_gaps(begin, last) <= sum(_bad_in(layout, start + run, begin, last) for run in word.blanks)


def _bad_in(layout: Layout, run: int, begin: int, last: int) -> int:
    """The gaps before and within a run where the phrase has its blank."""
    low, high = max(layout.first[run] - 1, begin), min(layout.last[run], last)
    return layout.count_word_gaps(low, high)


def _fits_run(length: int, wanted: int, letter: str) -> bool:
    if length == wanted:
        return True
    if length < wanted or letter.isdigit():
        return False
    return length >= 3 or letter in _NEVER_DOUBLE
