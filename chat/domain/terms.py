"""What a text is found by, and what a search asks for: every engine indexes and asks with this, so all find the same.

Rule 1: a word is a run of letters, digits, and the marks that belong to them, after compatibility composition (NFKC)
  and case folding, without what is invisible. The marks of Hindi are spelling; accents only decorate, and go.
Rule 2: a word is found by itself and by its stem (Snowball): of English for Latin letters, of Russian for Cyrillic.
Rule 3: scripts that write no blanks between words (Han, Kana, Thai, Lao, Khmer, Burmese, …) are found by each pair of
  letters that follow each other, and by the last letter of a run; so anything inside a sentence is found.
Rule 4: a search finds the texts that have all of its words: their stems, or, of the last word, which may be
  unfinished, a word that begins so. A single letter of rule 3 is found by the pairs that begin with it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import chain, pairwise

import Stemmer
from msgspec import Struct

from chat.domain.characters import MARKS, list_characters, normalize, strip_decoration, write_class
from chat.domain.visible import drop_ignorable

TERM_LENGTH = 64
_SHORTEST_PREFIX = 2

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{MARKS}])*")
UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u3005\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaadf\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003fffd]+)"
)
# The marks of those scripts are in the first plane; a class with characters of others is many times slower.
_NEAR_MARKS = write_class(mark for mark in list_characters("M.") if mark < "\U00010000")
_UNIT = re.compile(rf"[^{_NEAR_MARKS}][{_NEAR_MARKS}]*|[{_NEAR_MARKS}]+")
_LATIN = re.compile(r"[a-zø-ɏ]+")
_CYRILLIC = re.compile(r"[\u0400-\u052f]+")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_stemmers = threading.local()


class Term(Struct, frozen=True):
    """A word that is asked for: a text has it if one of its terms is `stem`, or begins with `prefix` (if not empty)."""

    stem: str
    prefix: str = ""


def terms(text: str) -> list[str]:
    """The distinct terms by which a text is found, in order of first appearance; each has at most 64 characters."""
    if text.isascii():  # then Python runs no line for a word
        return list(dict.fromkeys(chain.from_iterable(map(_find_forms, _list_ascii_words(text)))))
    found: dict[str, None] = {}
    for piece, unspaced in _split_words(text):
        for term in _list_pairs(piece) if unspaced else _list_forms(piece):
            found[term] = None
    return list(found)


def search_terms(text: str) -> list[Term]:
    """What a search for this text asks for; each once (rule 4)."""
    pieces = list(_split_words(text))
    found: dict[Term, None] = {}
    for number, (piece, unspaced) in enumerate(pieces, 1):
        last = number == len(pieces)
        for term in _ask_pairs(piece, last) if unspaced else _ask_word(piece, last):
            found[term] = None
    return list(found)


def has_terms(found: Collection[str], wanted: Sequence[Term]) -> bool:
    """Whether a text with these terms is one that is asked for."""
    return all(
        term.stem in found or (term.prefix != "" and any(each.startswith(term.prefix) for each in found))
        for term in wanted
    )


def _split_words(text: str) -> Iterator[tuple[str, bool]]:
    """The words (rule 1), cut where a script without blanks begins or ends; and whether they are in such a script."""
    if text.isascii():
        yield from ((word, False) for word in _list_ascii_words(text))
        return
    folded = normalize("NFKC", normalize("NFKD", drop_ignorable(text)).casefold())
    for word in _WORD.findall(folded):
        for number, piece in enumerate(UNSPACED.split(word)):
            if piece:
                yield piece, number % 2 == 1


def _list_ascii_words(text: str) -> list[str]:
    words: list[str] = _ASCII_WORD.findall(text.lower())
    return [word[:TERM_LENGTH] for word in words] if max(map(len, words), default=0) > TERM_LENGTH else words


def _list_pairs(run: str) -> list[str]:
    """The terms of a run without blanks (rule 3)."""
    units = _UNIT.findall(run)
    return [*(one + other for one, other in pairwise(units)), units[-1]]


def _ask_pairs(run: str, last: bool) -> list[Term]:
    units = _UNIT.findall(run)
    if len(units) == 1:
        return [Term(run[:TERM_LENGTH], run[:TERM_LENGTH])]
    pairs = _list_pairs(run)[:-1]
    return [*map(Term, pairs[:-1]), Term(pairs[-1], pairs[-1] if last else "")]


def _list_forms(word: str) -> tuple[str, ...]:
    """The terms of a word (rule 2)."""
    return _find_forms(word[:TERM_LENGTH])


def _ask_word(word: str, last: bool) -> list[Term]:
    plain, *stems = _list_forms(word)
    unfinished = last and (len(plain) >= _SHORTEST_PREFIX or _HANGUL.match(plain) is not None)
    return [Term(stems[0] if stems else plain, plain if unfinished else "")]


@lru_cache(maxsize=16_384)
def _find_forms(word: str) -> tuple[str, ...]:
    """The word without accents, and its stem where that is another."""
    plain = word if word.isascii() else strip_decoration(word)
    if _LATIN.fullmatch(plain):
        stem = _find_stem("english", plain)
    elif _CYRILLIC.fullmatch(word):
        stem = strip_decoration(_find_stem("russian", word.replace("ё", "е")))
    else:
        return (plain,)
    return (plain,) if stem == plain or not stem else (plain, stem)


def _find_stem(language: str, word: str) -> str:
    stemmer = getattr(_stemmers, language, None)
    if stemmer is None:  # one for each thread: the library's objects are not to be shared
        stemmer = Stemmer.Stemmer(language, 0)
        setattr(_stemmers, language, stemmer)
    return str(stemmer.stemWord(word))
