"""The list of conversations and Ctrl+K, for a user with 200 rooms and 5,000 people."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import Window
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.browser]

ROOMS = 200
PEOPLE = 5_000
#: Elements of the sidebar; all rows would be some 40,000.
DRAWN = 2_000
_NEXT_FRAME = "() => new Promise(requestAnimationFrame)"
_DRAWN = "document.querySelectorAll('.sidebar *').length"


def _answer(name: str, items: list[dict[str, object]]) -> Callable[[Route], None]:
    body = json.dumps({name: items, "more": False, "next": None})
    return lambda route: route.fulfill(content_type="application/json", body=body)


def _conversations(count: int) -> list[dict[str, object]]:
    return [
        {"with": {"id": str(uuid.uuid4()), "name": f"person-{number}"}, "seq": 3, "unread": number % 50 == 0, "read": 2}
        for number in range(count)
    ]


def _rooms(count: int) -> list[dict[str, object]]:
    common = {"visibility": "public", "default_role": "member", "role": "member", "seq": 3, "read": 2}
    return [
        {"id": str(uuid.uuid4()), "name": f"room-{number}", "unread": number % 20 == 0, **common}
        for number in range(count)
    ]


def test_only_what_is_near_the_screen_is_drawn_of_a_long_list(
    new_window: Callable[..., Window], server: ServerProcess
) -> None:
    ann = new_window(server)
    ann.lenient = True
    ann.register("ann")
    ann.page.route("**/api/rooms", _answer("rooms", _rooms(ROOMS)))
    ann.page.route("**/api/dms", _answer("conversations", _conversations(PEOPLE)))
    ann.page.reload()
    expect(ann.get("person-item").first).to_be_visible()
    ann.page.wait_for_function("document.querySelectorAll('[data-row]').length > 10")
    assert ann.page.evaluate(_DRAWN) < DRAWN
    rows = ann.get("room-list")
    for top in range(0, 160_000, 8_000):
        rows.evaluate("(box, top) => { box.scrollTop = top }", top)
        ann.page.evaluate(_NEXT_FRAME)
    expect(ann.get("person-item").last).to_be_visible()
    assert ann.page.evaluate(_DRAWN) < DRAWN
    ann.page.keyboard.press("Control+k")
    expect(ann.get("switcher-input")).to_be_focused()
    for letter in "person-4321":
        ann.page.keyboard.press(letter)
        ann.page.evaluate(_NEXT_FRAME)
    expect(ann.get("switcher-item").first).to_contain_text("person-4321")
