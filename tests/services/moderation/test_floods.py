"""Floods, repetition and copies: what counts, what is remembered, and how much."""

from __future__ import annotations

from services.moderation.floods import Floods, Limit, Measure
from tests.support.builders import ANN, BEN, NOW
from tests.support.rulefiles import content

FLOOD = Limit(name="flood", rule=0, measure=Measure.FLOOD, most=3, seconds=10)
REPEAT = Limit(name="repeat", rule=1, measure=Measure.REPEAT, most=2, seconds=10, shortest=4)
COPIES = Limit(name="copies", rule=2, measure=Measure.COPIES, most=2, seconds=10, shortest=4)
LIMITS = (FLOOD, REPEAT, COPIES)


def say(
    floods: Floods, number: int, text: str = "x", *, sender: str = ANN, at: float = 0, rules: range = range(3)
) -> set[int]:
    """One message; the rules whose limit it is over."""
    said = content(text, sender=sender, client_id=f"c{number}", ts=NOW + round(at * 1000))
    return floods.find_exceeded(said, text, LIMITS, rules)


def test_a_flood_is_more_messages_than_allowed_in_the_time() -> None:
    floods = Floods()
    assert [say(floods, number, str(number), at=number) for number in range(5)] == [set(), set(), set(), {0}, {0}]
    assert say(floods, 6, at=20) == set()
    assert say(floods, 7, at=20, sender=BEN) == set()


def test_repetition_is_the_same_text_however_dressed() -> None:
    floods = Floods()
    texts = ["buy this", "buy  this!", "buuuy this", "other text"]
    assert [say(floods, number, text, at=number * 4) for number, text in enumerate(texts)] == [set(), set(), {1}, set()]


def test_short_texts_may_be_repeated() -> None:
    floods = Floods()
    assert [say(floods, number, "ok", at=number * 4) for number in range(5)] == [set()] * 5


def test_copies_come_from_many_senders() -> None:
    floods = Floods()
    senders = ["a", "a", "b", "c", "d"]
    assert [say(floods, number, "vote now", sender=sender) for number, sender in enumerate(senders)] == [
        set(),
        set(),
        set(),
        {2},
        {2},
    ]


def test_a_content_counts_once_and_gets_the_same_answer_again() -> None:
    floods = Floods()
    first = [say(floods, number, str(number)) for number in range(5)]
    assert [say(floods, number, str(number)) for number in range(5)] == first
    assert [say(floods, 1, "1") for _ in range(10)] == [set()] * 10


def test_an_edit_counts_for_itself() -> None:
    floods = Floods()
    answers = [
        floods.find_exceeded(content("x", revision=revision, ts=NOW), "x", (FLOOD,), {0})
        for revision in (0, 1, 2, 3, 3)
    ]
    assert answers == [set(), set(), set(), {0}, {0}]


def test_a_rule_that_does_not_hold_counts_and_does_not_answer() -> None:
    floods = Floods()
    for number in range(4):
        assert say(floods, number, str(number), rules=range(1, 3)) == set()
    assert say(floods, 4, "4") == {0}


def test_what_comes_late_is_judged_by_its_own_time() -> None:
    floods = Floods()
    for number in range(4):
        say(floods, number, str(number), at=100)
    assert say(floods, 9, "9", at=5) == set()


def test_memory_is_bounded_and_floods_are_not_forgotten() -> None:
    floods = Floods(size=50)
    for number in range(3):
        say(floods, number, f"first {number}", at=number / 100)
    for number in range(200):
        say(floods, 1000 + number, f"text {number}", sender=f"s{number}", at=1)
        say(floods, 2000 + number, f"again {number}", at=1)
    assert floods.count_entries() <= 4 * 50
    assert say(floods, 5000, "still", at=1.5) == {0}


def test_a_flood_that_is_only_flagged_is_told_once_for_each_fill() -> None:
    floods = Floods()
    flood, copies = (Limit(name="x", rule=0, measure=measure, most=2, seconds=10, once=True) for measure in
                     (Measure.FLOOD, Measure.COPIES))  # fmt: skip
    said = [content("hello", client_id=f"c{number}") for number in range(7)]
    over = [bool(floods.find_exceeded(each, "hello", (flood,), {0})) for each in said]
    assert over == [False, False, True] * 2 + [False]
    over = [bool(floods.find_exceeded(each, "hello", (flood,), {0})) for each in said]
    assert over == [False, False, True] * 2 + [False]
    floods = Floods()
    said = [content("hello", client_id="c", sender=f"s{number}") for number in range(7)]
    over = [bool(floods.find_exceeded(each, "hello", (copies,), {0})) for each in said]
    assert over == [False, False, True] * 2 + [False]


def test_counts_of_limits_that_are_gone_are_forgotten() -> None:
    floods = Floods()
    say(floods, 1, "hello there")
    kept = floods.count_entries()
    floods.retain_limits([FLOOD])
    assert floods.count_entries() == kept - 2


def test_a_limit_that_changed_counts_on() -> None:
    floods = Floods()
    for number in range(3):
        say(floods, number, str(number))
    tighter = Limit(name="flood", rule=0, measure=Measure.FLOOD, most=1, seconds=10)
    assert floods.find_exceeded(content("y", client_id="new", ts=NOW), "y", (tighter,), {0}) == {0}
    assert floods.find_exceeded(content("y", client_id="new", ts=NOW), "y", (), {0}) == set()
