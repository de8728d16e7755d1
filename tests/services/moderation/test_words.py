"""Word lists: disguises that are found, and innocent texts that are spared."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.moderation.folding import fold_text
from services.moderation.streams import Layout, join_letters, list_readings, squeeze_runs, word_edges
from services.moderation.words import LONGEST, Entry, WordIndex, parse_word

LETTERS = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), min_size=4, max_size=12)


def find(text: str, *words: str, allow: tuple[str, ...] = ()) -> list[str]:
    """Which of the words are in the text."""
    entries = [Entry(parse_word(word), number) for number, word in enumerate(words)]
    index = WordIndex([*entries, *(Entry(parse_word(word), None, allowed=True) for word in allow)])
    return [words[rule] for rule in sorted(index.find_rules(fold_text(text), range(len(words))))]


@pytest.mark.parametrize(
    "text",
    [
        "shit",
        "What SHIT is that?",
        "s h i t",
        "s.h.i.t",
        "s-h_i*t",
        "s  h\ti\nt",
        "sh.it",
        "shhhiiit",
        "s.hh.ii.tt.t".replace("tt.t", "t"),
        "sh1t",
        "$h!t",
        "5h1t!!!",
        "sh¡t".replace("¡", "|"),
        "ѕһіt",
        "s\u200bh\u200bi\u200bt",
        "ｓｈｉｔ",
        "shit123",
        "(shit)",
        "这是shit吗",
        "oh,shit,no",
    ],
)
def test_a_disguise_is_found(text: str) -> None:
    assert find(text, "shit") == ["shit"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Scunthorpe", "cunt"),
        ("a classic assessment", "ass"),
        ("the pen is mine", "penis"),
        ("The pen. Is it yours?", "penis"),
        ("it's hit the wall", "shit"),
        ("Essex and Sussex", "sex"),
        ("Matsushita", "shit"),
        ("as we said", "ass"),
        ("I have 455 of them", "ass"),
        ("room 5417", "shit"),
        ("shoot the ball", "shot"),
        ("good", "god"),
        ("a bob haircut", "boob"),
        ("so do my friends", "sodomy"),
        ("Dickens", "dick"),
        ("14881", "1488"),
        ("方法。轮到功课", "法轮功"),
        ("night it", "tit"),
    ],
)
def test_what_only_looks_so_is_spared(text: str, word: str) -> None:
    assert find(text, word) == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("badwords", "bad*"),
        ("superbad", "*bad"),
        ("superbadly", "*bad*"),
        ("b.a.d.l.y", "bad*"),
        ("kill yourself", "kill yourself"),
        ("KILL,  y0urself", "kill yourself"),
        ("killyourself", "kill yourself"),
        ("he kills self", "kills self"),
        ("我爱法轮功吗", "法轮功"),
        ("法 轮 功", "法轮功"),
        ("ห้ามคำหยาบนะ", "คำหยาบ"),
        ("시발아", "시발"),
        ("сука", "сука"),
        ("СУКА", "сука"),
        ("cyka", "сука"),
        ("what a f*ck", "fck"),
        ("1488", "1488"),
        ("ass", "ass"),
        ("asss", "ass"),
        ("kıll yourself", "kill yourself"),
    ],
)
def test_words_phrases_and_scripts(text: str, word: str) -> None:
    assert find(text, word) == [word]


@pytest.mark.parametrize(("text", "word"), [("embad", "bad*"), ("badly", "*bad"), ("yourself kill", "kill yourself")])
def test_an_end_that_is_not_open_is_closed(text: str, word: str) -> None:
    assert find(text, word) == []


def test_what_is_allowed_covers_what_is_in_it_and_nothing_else() -> None:
    assert find("w a s s u p", "ass", allow=("wassup",)) == []
    assert find("wassup, ass", "ass", allow=("wassup",)) == ["ass"]
    assert find("시발점", "시발", allow=("시발점",)) == []
    assert find("spick and span", "spick", allow=("spick and span",)) == []


def test_only_the_asked_rules_answer() -> None:
    index = WordIndex([Entry(parse_word("bad"), 0), Entry(parse_word("bad"), 1), Entry(parse_word("bad"), 1)])
    assert index.find_rules("bad", {1}) == {1}
    assert index.find_rules("bad", set()) == set()
    assert WordIndex([]).find_rules("bad", {0}) == set()


@pytest.mark.parametrize(
    ("word", "reason"),
    [("", "two letters"), ("a", "two letters"), ("*", "two letters"), ("...", "two letters"), ("b*d", "`fck`")],
)
def test_a_word_that_cannot_be_searched_is_refused(word: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_word(word)


def test_a_long_word_is_refused() -> None:
    parse_word("x" * LONGEST)
    with pytest.raises(ValueError, match="at most 100"):
        parse_word("x" * (LONGEST + 1))


@settings(max_examples=200)
@given(LETTERS, st.sampled_from(["", " ", ".", "-", "\u200b", " * "]))
@example("aab", " ")
@example("llaa", " ")
def test_a_word_is_found_however_it_is_spaced(word: str, between: str) -> None:
    assert find(f"well, {between.join(word.upper())}!", word) == [word]


@settings(max_examples=200)
@given(st.text(st.characters(codec=None), max_size=300))
def test_no_text_breaks_the_search(text: str) -> None:
    folded = fold_text(text)
    for reading in list_readings(folded):
        assert len(reading) == len(folded)
        assert squeeze_runs(squeeze_runs(join_letters(reading))) == squeeze_runs(join_letters(reading))
    find(text, "ab", "ab*", "*cb", "法轮", "kill yourself", "1488")


@pytest.mark.parametrize(
    "text", ["a" * 16_000, "ab" * 8_000, "a b " * 4_000, "1 " * 8_000, "4ss " * 4_000, "法" * 5_000]
)
def test_long_texts_end(text: str) -> None:
    find(text, "ass", "ab*", "*ba*", "aa", "法法", *("a" + "b" * n for n in range(1, 50)))


@settings(max_examples=300)
@given(st.lists(st.sampled_from(["a", "b", "ab", "aab", " ", " ", ".", "1", "c"]), max_size=12).map("".join))
@example("ab a")
def test_sorting_out_early_loses_nothing(text: str) -> None:
    """A look at the edges of words must let pass whatever the closer look would have found."""
    for reading in list_readings(fold_text(text)):
        known = word_edges(reading)
        assert known is not None
        layout = Layout(reading, fold_text(text))
        for run, (first, last) in enumerate(zip(layout.first, layout.last, strict=True)):
            if any(layout.may_start(j) for j in range(first, last + 1)):
                assert run in known[0]
            if any(layout.may_end(j) for j in range(first, last + 1)):
                assert run + 1 in known[1]


def count_lines(work: Callable[[], object]) -> int:
    """How many lines of Python the work runs."""
    lines = 0

    def trace(_frame: FrameType, event: str, _arg: object) -> Callable[..., Any]:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize(
    "text", ["scunthorpe ", "cunt ", "scunthorpe cunt ", "c.u.n.t ", "cuuunt", "$cunthorpe ", "s\u0301\u200bcunt "]
)
def test_work_grows_with_the_text_alone(text: str) -> None:
    small, large = (
        count_lines(lambda times=times: find(text * times, "cunt", "cunthorpe*", allow=("scunthorpe",)))  # type: ignore[misc]
        for times in (50, 400)
    )
    assert large < 12 * small  # eight times the text; its square would be sixty-four
