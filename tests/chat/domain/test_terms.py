"""What texts are found by, and what searches ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.domain.terms import TERM_LENGTH, Term, has_terms, search_terms, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The foxes run", ["the", "foxes", "fox", "run"]),
        ("пиццы", ["пиццы", "пицц"]),
        ("猫", ["猫"]),
        ("猫と犬", ["猫と", "と犬", "犬"]),
        ("がか", ["がか", "か"]),
        ("ไทยดี", ["ไท", "ทย", "ยด\u0e35", "ด\u0e35"]),
        ("हिन्दी", ["हिन्दी"]),
        ("Zoë", ["zoe"]),
        ("שָׁלוֹם", ["שלום"]),
        ("مُحَمَّد", ["محمد"]),
        ("x猫y", ["x", "猫", "y"]),
        ("room42", ["room42"]),
        ("\u0301\u0302!?", []),
    ],
)
def test_texts_have_words_stems_and_pairs(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_a_search_asks_for_stems_and_for_the_beginning_of_its_last_word() -> None:
    assert search_terms("foxes running") == [Term("fox"), Term("run", "running")]
    assert search_terms("北京 猫 x") == [Term("北京"), Term("猫", "猫"), Term("x")]
    assert search_terms("?!") == []


@given(st.text(max_size=120))
def test_every_text_is_found_by_itself_and_by_each_of_its_terms(text: str) -> None:
    found = terms(text)
    assert has_terms({*found}, search_terms(text))
    assert all(has_terms({*found}, [Term(term)]) for term in found)
    assert all(0 < len(term) <= 2 * TERM_LENGTH for term in found)
    assert len({*found}) == len(found)


@given(st.text(st.sampled_from("abcdeёйлцыаи猫と犬ภาษาไทหिन्दी "), min_size=1, max_size=30), st.data())
def test_what_is_being_typed_is_found(text: str, data: st.DataObject) -> None:
    """Each beginning of a text without accents finds it, once its last word has two letters."""
    typed = text[: data.draw(st.integers(1, len(text)))]
    wanted = search_terms(typed)
    if wanted and wanted[-1].prefix:
        assert has_terms({*terms(text)}, [Term(wanted[-1].prefix, wanted[-1].prefix)])
