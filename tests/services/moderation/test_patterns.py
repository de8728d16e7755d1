"""Regular expressions: one pass, linear time, and what is refused."""

from __future__ import annotations

import pytest

from services.moderation.patterns import LONGEST, Pattern, PatternSet, check_pattern


def search(text: str, *sources: str, folded: str = "") -> set[int]:
    patterns = PatternSet([Pattern(source, number) for number, source in enumerate(sources)])
    return patterns.find_rules(text, folded, range(len(sources)))


def test_all_that_match_are_told() -> None:
    assert search("call 555-1234 now", r"\d{3}-\d{4}", r"(?i)CALL", r"^now") == {0, 1}
    assert search("nothing", r"\d") == set()
    assert search("nothing") == set()


def test_a_pattern_may_look_at_the_folded_text() -> None:
    patterns = PatternSet([Pattern("spam", 0, folded=True), Pattern("SPAM", 1)])
    assert patterns.find_rules("SPAM", "spam", {0, 1}) == {0, 1}
    assert patterns.find_rules("SPAM", "spam", {0}) == {0}
    assert patterns.find_rules("sp am", "spam", {0, 1}) == {0}


def test_a_pattern_that_backtracking_engines_drown_in_ends_at_once() -> None:
    assert search("a" * 16_000 + "!", r"(a+)+$", r"(a|aa)+b") == set()


def test_lone_surrogates_do_not_raise() -> None:
    assert search("x\ud800y", "x.y") == {0}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("(a", "missing"),
        (r"(a)\1", "escape"),
        ("(?=a)", "perl"),
        (r"\pL{900}", "too large"),
        ("((a{100}){100}){100}", "repetition"),
        ("a*", "empty text"),
        ("", "empty text"),
        ("a|", "empty text"),
        ("a" * (LONGEST + 1), "at most 1000"),
        ("\ud800", "surrogate"),
    ],
)
def test_what_is_invalid_or_too_large_is_refused(source: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_pattern(source)


def test_many_patterns_go_together() -> None:
    sources = [rf"(?i)\bword{number}\s+thing\b" for number in range(1000)]
    for source in sources:
        check_pattern(source)
    assert search("the WORD7  thing and word999 thing", *sources) == {7, 999}
