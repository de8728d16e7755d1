"""Long lists of members, presses while a list changes its order, and one's own name below the lists."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import DESKTOP, Window
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]
OpenWindow = Callable[..., Window]

MEMBERS = 300
PAGE = 100
#: Rows in the document at a time: those on the screen, and some beside it.
DRAWN = 60


def _answer_members(route: Route) -> None:
    """A page of the room's members by name; a cursor is the number of the next one."""
    asked = parse_qs(urlsplit(route.request.url).query)
    first = int(asked.get("cursor", ["0"])[0])
    people = [
        {"id": str(uuid.UUID(int=number + 1)), "name": f"person-{number:03}", "role": "member"}
        for number in range(first, min(first + PAGE, MEMBERS))
    ]
    following = first + PAGE
    more = following < MEMBERS
    body = {"members": people, "more": more, "next": str(following) if more else None}
    route.fulfill(content_type="application/json", body=json.dumps(body))


def test_of_many_members_those_near_the_screen_are_read_and_drawn(ann: Window) -> None:
    ann.new_room("crowd")
    ann.page.route("**/api/rooms/*/members*", _answer_members)
    asked = ann.count_requests("/members?")
    ann.get("open-members").click()
    rows = ann.get("member")
    expect(rows.filter(has_text="person-000")).to_be_visible()
    ann.draw()
    assert rows.count() < DRAWN
    assert len(asked) <= 2
    scrolled = ann.get("member-list").locator("xpath=..")

    def scroll_to_end() -> bool:
        scrolled.evaluate("box => { box.scrollTop = box.scrollHeight }")
        assert rows.count() < DRAWN
        return rows.filter(has_text=f"person-{MEMBERS - 1}").is_visible()

    ann.eventually(scroll_to_end, True)


def test_what_is_pressed_in_the_list_stays_under_the_pointer_until_it_opens(ann: Window, bob: Window) -> None:
    quiet, busy, here = (f"{word}-{ann.name}" for word in ("quiet", "busy", "here"))
    for room in (busy, quiet, here):
        ann.new_room(room)
    bob.join(busy)
    ann.enter(here)
    row = ann.page.get_by_role("navigation").get_by_role("link", name=quiet)
    box = row.bounding_box()
    assert box is not None
    ann.page.mouse.move(box["x"] + 40, box["y"] + box["height"] / 2)
    ann.page.mouse.down()
    bob.say(f"@{ann.name}: this moves the rows of your list")
    ann.eventually(lambda: ann.page.title().startswith("(1)"), True)
    ann.draw()
    assert row.bounding_box() == box
    ann.page.mouse.up()
    expect(ann.page.get_by_role("heading", name=quiet, exact=True)).to_be_visible()
    ann.eventually(lambda: row.bounding_box() == box, False)


@pytest.mark.parametrize("pointer", [{}, {"has_touch": True, "is_mobile": True}], ids=["mouse", "touch"])
def test_ones_own_name_is_whole_below_the_lists(
    pointer: dict[str, Any], new_window: OpenWindow, server: ServerProcess
) -> None:
    window = new_window(server, viewport=DESKTOP, **pointer)
    window.register("zoe-mae")
    name = window.get("me")
    expect(name).to_have_text(window.name)
    assert name.evaluate("name => name.scrollWidth <= name.clientWidth")
    window.get("account").click()
    expect(window.get("profile-form")).to_be_visible()
