"""Folding: what disguises it sees through, and its laws."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.moderation.folding import _TABLE, fold_text

TEXTS = st.text(st.characters(codec=None), max_size=200)


@pytest.mark.parametrize(
    "disguised",
    [
        "BADWORD",
        "ｂａｄｗｏｒｄ",
        "𝖇𝖆𝖉𝖜𝖔𝖗𝖉",
        "b\u200ba\u200cd\u200dw\u2060o\ufeffr\u00add",
        "b̶a̶d̶w̶o̶r̶d̶",
        "bàdwörd",
        "ЬАDwоrd".replace("Ь", "b"),
        "bаdwоrԁ",  # Cyrillic a, o, d
        "ⓑⓐⓓⓦⓞⓡⓓ",
        "🅱🅰🅳🆆🅾🆁🅳",
        "🇧🇦🇩🇼🇴🇷🇩",
        "ʙᴀᴅᴡᴏʀᴅ",
        "bad\u2060wo\U000e0001rd",
        "βadword".replace("β", "ƀ"),
    ],
)
def test_a_disguise_is_seen_through(disguised: str) -> None:
    assert fold_text(disguised) == "badword"


@pytest.mark.parametrize("text", ["straße", "naïve", "København", "Łódź"])
def test_marks_and_strokes_go(text: str) -> None:
    assert fold_text(text) == {"straße": "strasse", "naïve": "naive", "København": "kobenhavn", "Łódź": "lodz"}[text]


@pytest.mark.parametrize("text", ["法轮功", "한국어", "ไทยก็ดี", "हिन्दी", "שלום", "にほんご"])
def test_other_scripts_stay_readable(text: str) -> None:
    assert fold_text(text) == text


def test_letters_that_come_together_are_composed() -> None:
    assert fold_text("\u1112\u200b\u1161\u200b\u11ab") == "한"


def test_emoji_and_signs_stay() -> None:
    assert fold_text("ok 👍 100% €5") == "ok 👍 100% €5"


def test_every_character_is_folded_once_and_for_all() -> None:
    # The planes above hold Han, private use and nothing.
    codes = [*range(0x20000), *range(0xE0000, 0xE0200), sys.maxunicode]
    twice = [code for code in codes if fold_text(once := fold_text(chr(code))) != once]
    assert twice == []
    assert len(_TABLE) <= 0x20000


@settings(max_examples=300)
@given(TEXTS)
def test_folding_never_raises_and_is_idempotent(text: str) -> None:
    once = fold_text(text)
    assert fold_text(once) == once


@settings(max_examples=100)
@given(TEXTS)
def test_a_folded_text_is_at_most_in_proportion_to_the_text(text: str) -> None:
    assert len(fold_text(text)) <= 18 * len(text)  # the longest decomposition of Unicode


@settings(max_examples=100)
@given(TEXTS)
def test_case_and_width_never_matter(text: str) -> None:
    assert fold_text(text.casefold()) == fold_text(text)
