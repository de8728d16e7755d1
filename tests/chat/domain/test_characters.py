"""Marks in a row: how many are taken, and that normalising never meets more of them."""

from __future__ import annotations

import ast
import unicodedata
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.domain.characters import MARKS_IN_A_ROW, check_marks, cut_marks, has_too_many_marks, normalize
from chat.domain.terms import terms
from chat.domain.text import check_room_name, check_text
from chat.errors import Invalid
from services.moderation.folding import fold_text

ROOT = Path(__file__).parents[3]
ROOMS = ("rookery", "gateway", "services", "workers", "chat", "web")
# Marks of different classes, which normalising sorts; some take up no class of their own, and become such marks.
RUNS = [
    "\u0301\u0316",
    "\u0316",
    "\u0f73",
    "\u0f71\u0f72",
    "\uff9e",
    "\u0345",
    "\u302e\U0001d165",
    "\u0327\u0301\u05b0",
]


def longest_run(text: str) -> int:
    """How many marks with a combining class follow each other, at most, in the decomposed text."""
    decomposed = unicodedata.normalize("NFKD", text)
    return max(
        (len([*run]) for marked, run in groupby(decomposed, lambda c: unicodedata.combining(c) > 0) if marked),
        default=0,
    )


@pytest.mark.parametrize("marks", RUNS)
def test_thirty_marks_are_taken_and_no_more(marks: str) -> None:
    thirty = (marks * MARKS_IN_A_ROW)[:MARKS_IN_A_ROW]
    assert check_marks(f"a{thirty}b{thirty}", "text") == f"a{thirty}b{thirty}"
    with pytest.raises(Invalid, match="at most 30") as refused:
        check_marks(f"a{thirty}{marks[0]}", "reason")
    assert refused.value.field == "reason"


@pytest.mark.parametrize("marks", RUNS)
def test_texts_and_names_with_more_marks_are_refused(marks: str) -> None:
    for check, field in ((check_text, "text"), (check_room_name, "name")):
        with pytest.raises(Invalid, match="marks") as refused:
            check("a" + marks * (MARKS_IN_A_ROW + 1))
        assert refused.value.field == field


@pytest.mark.parametrize("marks", RUNS)
@pytest.mark.parametrize("between", ["", "\u200b", "\ufe0f", "\u0e33", "\u3164"])
def test_what_is_stored_already_is_normalised_and_folded_without_long_runs(marks: str, between: str) -> None:
    text = ("a" + marks * 14 + between) * 3 + marks * 1000 + "b"
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert longest_run(normalize(form, text)) <= 3 * MARKS_IN_A_ROW
    assert longest_run(fold_text(text)) <= 3 * MARKS_IN_A_ROW
    assert max(map(longest_run, terms(text))) <= 3 * MARKS_IN_A_ROW


@given(st.text(st.sampled_from(["a", "é", *"".join(RUNS)]), max_size=200))
def test_cutting_leaves_what_is_taken(text: str) -> None:
    assert not has_too_many_marks(cut_marks(text))
    assert has_too_many_marks(text) is (cut_marks(text) != text)


def test_no_mark_stands_where_it_is_not_looked_for() -> None:
    beyond = [code for code in range(0x110000) if unicodedata.combining(chr(code)) and not _is_counted(code)]
    assert [hex(code) for code in beyond] == []


def _is_counted(code: int) -> bool:
    return has_too_many_marks(chr(code) * (MARKS_IN_A_ROW + 1))


def test_nothing_normalises_without_the_bound() -> None:
    """Any other call could meet a run of any length, and would take time in the square of it."""
    callers = {
        path.relative_to(ROOT).as_posix() for room in ROOMS for path in (ROOT / room).rglob("*.py") if _normalises(path)
    }
    assert callers == {"chat/domain/characters.py"}


def _normalises(path: Path) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in {"normalize", "is_normalized"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "unicodedata"
        for node in ast.walk(ast.parse(path.read_text()))
    )
