"""The one normaliser of search terms: every engine indexes and asks with what stands here, so all find the same.

A term is a run of letters and digits after compatibility decomposition (NFKD), case folding and the removal of
combining marks that only decorate. Runs of scripts that write without spaces (Han, Hiragana, Katakana, Hangul are
not split by spaces into words in a way that a searcher types) become overlapping pairs of characters.
"""

from __future__ import annotations

import re
import unicodedata

from chat.domain.characters import normalize

_RUN = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]+)")
TERM_LENGTH = 64


def terms(text: str) -> list[str]:
    """The distinct terms of a text, in order of first appearance. A term is cut at 64 characters."""
    if text.isascii():
        runs = _RUN.findall(text.lower())
        return list(dict.fromkeys(run[:TERM_LENGTH] for run in runs))
    return list(dict.fromkeys(_unicode_terms(text)))


def _unicode_terms(text: str) -> list[str]:
    folded = normalize("NFKD", normalize("NFKD", text).casefold())
    plain = normalize("NFC", "".join(c for c in folded if unicodedata.category(c) != "Mn"))
    found: list[str] = []
    for run in _RUN.findall(plain):
        for piece in _UNSPACED.split(run):
            if not piece:
                continue
            if _UNSPACED.fullmatch(piece):
                found.extend(_pairs(piece))
            else:
                found.append(piece[:TERM_LENGTH])
    return found


def _pairs(run: str) -> list[str]:
    return [run] if len(run) == 1 else [run[i : i + 2] for i in range(len(run) - 1)]
