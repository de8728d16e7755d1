"""Equal tuples of one item are one object; others stay as they are."""

from __future__ import annotations

from gateway.tuples import intern_tuple


def test_equal_tuples_of_one_item_are_shared() -> None:
    rooms = [f"room {1 + number % 2}" for number in range(4)]
    one, two, again, _ = [intern_tuple((room,)) for room in rooms]
    assert (one, two) == (("room 1",), ("room 2",))
    assert again is one


def test_tuples_of_none_and_of_several_items_stay_as_they_are() -> None:
    for items in ((), ("a", "b")):
        assert intern_tuple(items) is items
