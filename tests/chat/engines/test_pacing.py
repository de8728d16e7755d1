"""How far apart commits begin."""

from __future__ import annotations

import pytest

from chat.engines.pacing import FULL_RATE, MEMORY_SECONDS, CommitPace


def run_pace(pace: CommitPace, *, rate: float, every: float, seconds: float, start: float = 0.0) -> float:
    """Arrivals at this rate, and a commit every so often; how long the commit after the last one has to wait."""
    now, due, wait = start, 0.0, 0.0
    while now < start + seconds:
        now += every
        due += rate * every
        while due >= 1:
            pace.note_arrival()
            due -= 1
        wait = pace.begin_commit(now) - now
    return wait


def test_first_commit_and_one_after_silence_delay_nothing() -> None:
    pace = CommitPace(0.01)
    pace.note_arrival()
    assert pace.begin_commit(5.0) == 5.0
    run_pace(pace, rate=FULL_RATE, every=0.01, seconds=1, start=5.0)
    pace.note_arrival()
    assert pace.begin_commit(1000.0) - 1000.0 < 0.0001


def test_twenty_messages_a_second_hardly_wait() -> None:
    # Each message brings about five arrivals.
    assert run_pace(CommitPace(0.01), rate=100, every=0.05, seconds=1) < 0.001


@pytest.mark.parametrize("every", [0.001, 0.006, 0.02])
def test_interval_follows_the_rate_whatever_the_commits_are(every: float) -> None:
    assert run_pace(CommitPace(0.01), rate=FULL_RATE / 2, every=every, seconds=1) == pytest.approx(0.005, rel=0.2)


def test_full_rate_and_more_make_the_longest_interval() -> None:
    pace = CommitPace(0.01)
    for rate in (FULL_RATE * 1.5, FULL_RATE * 50):
        assert run_pace(pace, rate=rate, every=0.01, seconds=1) == pytest.approx(0.01)


def test_burst_makes_itself_felt_within_the_memory() -> None:
    pace = CommitPace(0.01)
    run_pace(pace, rate=20, every=0.05, seconds=1)
    assert run_pace(pace, rate=FULL_RATE * 2, every=0.005, seconds=2 * MEMORY_SECONDS, start=1.0) > 0.009


def test_commits_at_one_moment_of_a_virtual_clock_count_what_came() -> None:
    pace = CommitPace(0.01)
    for _ in range(2):
        for _ in range(200):
            pace.note_arrival()
        wait = pace.begin_commit(3.0) - 3.0
    assert 0 < wait <= 0.01


def test_without_an_interval_nothing_waits() -> None:
    assert run_pace(CommitPace(0), rate=FULL_RATE * 3, every=0.01, seconds=1) == 0
