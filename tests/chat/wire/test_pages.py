"""A page is bounded by what its messages weigh as JSON, and has at least one."""

from __future__ import annotations

from chat.wire.events import encode
from chat.wire.message_frames import history_message
from chat.wire.pages import bound_page
from tests.support.builders import make_messages

ITEMS = [history_message(message) for message in make_messages(5)]
WEIGHT = len(encode(ITEMS[0]))


def test_what_fits_stays() -> None:
    assert bound_page(ITEMS, more=False, max_bytes=5 * WEIGHT) == (ITEMS, False)
    assert bound_page(ITEMS, more=True, max_bytes=5 * WEIGHT) == (ITEMS, True)
    assert bound_page([], more=False, max_bytes=0) == ([], False)


def test_of_what_is_too_heavy_the_first_stay_and_more_follow() -> None:
    assert bound_page(ITEMS, more=False, max_bytes=3 * WEIGHT) == (ITEMS[:3], True)
    assert bound_page(ITEMS, more=False, max_bytes=3 * WEIGHT - 1) == (ITEMS[:2], True)


def test_a_page_has_at_least_one_message() -> None:
    assert bound_page(ITEMS, more=False, max_bytes=1) == (ITEMS[:1], True)
    assert bound_page(ITEMS[:1], more=False, max_bytes=1) == (ITEMS[:1], False)
