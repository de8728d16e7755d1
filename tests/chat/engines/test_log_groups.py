"""What a group of the embedded log has delivered and committed of a partition, when the rest of it was trimmed."""

from __future__ import annotations

from chat.engines.log_groups import Assignment, Group
from chat.engines.log_streams import LogStream
from chat.ports.log import LogRecord


def deliver(count: int, end: int) -> Assignment:
    """The first records of a partition are delivered, and released; it had `end` of them."""
    assignment = Assignment(Group("g", lambda _: None), LogStream(1, "t", 0, end=end), 0)
    assignment.ahead = [LogRecord(offset, "key", b"", (), 0) for offset in range(count)]
    assignment.take_records(count)
    assignment.release_before(count)
    return assignment


def test_what_waits_for_its_last_step_is_not_committed_by_a_trim_behind_it() -> None:
    assignment = deliver(3, end=10)
    assignment.skip_before(10)
    assert (assignment.committed, assignment.position, assignment.is_free) == (0, 10, True)
    assignment.commit_before(2)
    assert assignment.committed == 2
    assignment.skip_before(12)
    assignment.commit_before(3)
    assert (assignment.committed, assignment.is_uncommitted) == (12, False)


def test_what_is_not_committed_comes_again_to_the_next_owner_after_a_trim() -> None:
    assignment = deliver(3, end=10)
    assignment.skip_before(10)
    assignment.hand_over()
    assert (assignment.position, assignment.committed) == (0, 0)
    assignment.commit_before(3)
    assert assignment.committed == 0


def test_with_nothing_in_hand_a_trim_commits_at_once() -> None:
    assignment = deliver(3, end=10)
    assignment.commit_before(3)
    assignment.skip_before(10)
    assert (assignment.committed, assignment.position) == (10, 10)
