"""A folded text as a stream of letters, without what stands between them, so that `b.a d` is found as `bad`.

Almost every text has nothing to find, so the common way is short: `join_letters`, `squeeze_runs`, one search of the
automaton. A `Layout`, which costs a pass in Python, is made only for a text in which something was found.

Rule 1: the stream is what is searched, and it is made in C; where its letters stood is worked out only when something
was found.
Rule 2: a run of one letter is one letter of the stream, so `baaad` is found as `bad`; how long the run was is compared
afterwards.
Rule 3: a text with digits or signs among its letters is also read as if they were letters; `1` is read as `i` and as
`l`.
Rule 4: a blank between words parts them, and a blank between single letters does not: `b a d` is `bad` in disguise,
`be ad` is not `bead`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate

_RUN = re.compile(r"(.)\1+", re.DOTALL)
_TOKEN = re.compile(r"\S+")
_SIGN = re.compile(r"[01345789@$€¢]|[!|+](?=\w)")  # `!` and the like are letters only where one follows
_TWO_WAYS = re.compile(r"[1!|]")
_LETTERS = {"0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "€": "e"} | {
    "¢": "c",
    "+": "t",
}
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]"
)
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_PIECE = re.compile(r"[^\W\d_]+|\d+")
# Scripts in which a word is not simply what stands between blanks: all from Hebrew on, but for punctuation, signs and
# pictures. For texts without any of them `word_edges` is enough.
_NOT_SIMPLE = re.compile(r"[\u0590-\u1fff\u2c00-\uffff\U00010000-\U0001efff\U00020000-\U0010ffff]")
# Where words are not parted by blanks, the end of a sentence still parts them.
_SENTENCE_END = frozenset("。!?…;")

NO_GAP, MARKS, SPACE = 0, 1, 2


class _Kept(dict[int, str | None]):
    """For `str.translate`: leaves letters, digits and the marks that belong to letters, and drops the rest.

    What is looked up once is remembered, below plane 2 only: above stand Han and nothing else of size, and the table
    would grow with every character that somebody sends.
    """

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        kept = character if _is_letter(character) else None
        if code < 0x20000:
            self[code] = kept
        return kept


def _is_letter(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


_KEPT = _Kept()


def join_letters(folded: str) -> str:
    """The letters and digits alone."""
    return folded.translate(_KEPT)  # rule 1: one call in C for the whole text


def squeeze_runs(joined: str) -> str:
    """Each run of one letter as one letter."""
    return _RUN.sub(r"\1", joined)  # rule 2


def word_edges(reading: str) -> tuple[set[int], set[int]] | None:
    """Places of the squeezed stream at which a word begins, and after which one ends; None when that takes a `Layout`,
    as in scripts without blanks.

    It sorts out, at little cost, what merely runs across words: most of what is found in a stream.
    """
    if _NOT_SIMPLE.search(reading):
        return None
    starts, ends = set(), set()
    place, before = 0, ""
    for piece in _PIECE.findall(reading):
        squeezed = _RUN.sub(r"\1", piece)
        start = place - (squeezed[0] == before)  # one run goes on from word to word
        starts.add(start)
        place = start + len(squeezed)
        ends.add(place)
        before = squeezed[-1]
    return starts, ends


def list_readings(folded: str) -> Iterator[str]:
    """The text, and, when there are signs among its letters, the text with these as letters; all of one length."""
    yield folded
    if _SIGN.search(folded) is None:
        return
    seen = {folded}
    for letter in "il" if _TWO_WAYS.search(folded) else "i":  # rule 3
        table = {**_LETTERS, "1": letter, "!": letter, "|": letter}
        read = _TOKEN.sub(lambda token, table=table: _read_token(token[0], table), folded)  # type: ignore[misc]
        if read not in seen:
            seen.add(read)
            yield read


def _read_token(token: str, table: dict[str, str]) -> str:
    """A word with its signs as letters. A number stays one; a sign that stands alone may be part of a spelling."""
    if len(token) > 1 and not any(character.isalpha() for character in token):
        return token
    return _SIGN.sub(lambda sign: table[sign[0]], token)


class Layout:
    """Where the letters of a reading stood, and what was between them.

    Letters are counted without gaps; runs are the letters of the squeezed stream. `bad` counts, before each letter, the
    gaps that part words: blanks that do not stand between single letters.
    """

    def __init__(self, reading: str, folded: str) -> None:
        self.letters: list[str] = []
        self.places: list[int] = []
        self.gaps: list[int] = []
        self._ends: list[bool] = []
        self._read_letters(reading)
        self.first, self.last = _find_runs(self.letters)
        single = self._find_singles()  # rule 4
        gaps, letters = self.gaps, self.letters
        parts = (
            gap == SPACE and (end or not (single[j] and single[j - 1])) if j else False
            for j, (gap, end) in enumerate(zip(gaps, self._ends, strict=True))
        )
        self._bad = [0, *accumulate(map(int, parts))]
        self._unchanged = [
            0,
            *accumulate(int(folded[p] == x and x.isalpha()) for p, x in zip(self.places, letters, strict=True)),
        ]
        self._inner_gaps = [0, *accumulate(int(gap > 0) for gap in gaps)]

    def count_word_gaps(self, begin: int, end: int) -> int:
        """How many gaps part words between letter `begin` and letter `end`."""
        return self._bad[end + 1] - self._bad[begin + 1]

    def gaps_within(self, begin: int, end: int) -> int:
        """How many gaps there are between the two letters."""
        return self._inner_gaps[end + 1] - self._inner_gaps[begin + 1]

    def count_unchanged(self, begin: int, end: int) -> int:
        """How many of these letters were letters in the text."""
        return self._unchanged[end + 1] - self._unchanged[begin]

    def may_start(self, j: int) -> bool:
        """Whether a word may begin at letter `j`."""
        if j == 0 or self.gaps[j]:
            return True
        before, letter = self.letters[j - 1], self.letters[j]
        if before.isdigit() != letter.isdigit():
            return True
        return bool(_UNSPACED.match(before) or _UNSPACED.match(letter))

    def may_end(self, j: int) -> bool:
        """Whether a word may end with letter `j`. In Hangul endings follow without a blank, so it may anywhere."""
        return j + 1 == len(self.letters) or self.may_start(j + 1) or _HANGUL.match(self.letters[j]) is not None

    def _read_letters(self, reading: str) -> None:
        gap, ended = SPACE, False
        for place, character in enumerate(reading):
            if _KEPT[ord(character)] is not None:
                self.letters.append(character)
                self.places.append(place)
                self.gaps.append(gap)
                self._ends.append(ended)
                gap, ended = NO_GAP, False
            else:
                blank = character.isspace() or character in "。、"
                gap = SPACE if blank or gap == SPACE else MARKS
                if character in _SENTENCE_END and self.letters and _UNSPACED.match(self.letters[-1]):
                    gap, ended = SPACE, True

    def _find_singles(self) -> Sequence[bool]:
        """Of each letter whether it stands alone: its piece is one letter, however often. In Han each letter does."""
        single = [True] * len(self.letters)
        begin = 0
        for j in range(1, len(self.letters) + 1):
            if j < len(self.letters) and not self.gaps[j]:
                continue
            if len(set(self.letters[begin:j])) > 1:
                single[begin:j] = [_HAN.match(letter) is not None for letter in self.letters[begin:j]]
            begin = j
        return single


def _find_runs(letters: Sequence[str]) -> tuple[list[int], list[int]]:
    """First and last letter of each run."""
    first = [j for j, letter in enumerate(letters) if j == 0 or letter != letters[j - 1]]
    return first, [*(j - 1 for j in first[1:]), len(letters) - 1][: len(first)]
