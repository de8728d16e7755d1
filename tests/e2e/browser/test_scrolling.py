"""Reading long conversations: where one lands, what is loaded, and what stays in place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support.browser import Window, talking, unique
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One on which one may say much at once."""
    data = tmp_path_factory.mktemp("data")
    with ServerProcess("browser-scrolling", data, rate_limits="off") as process:
        yield process
        process.check()


def fill(window: Window, room: str, count: int) -> None:
    """Say so much in a room, all of it today."""
    with talking(window.server, window.token()) as talk:
        for first in range(1, count + 1, 500):
            talk.send(room, [f"line {number}" for number in range(first, min(first + 500, count + 1))])


def test_one_scroll_to_the_top_loads_one_page(ann: Window) -> None:
    room = ann.new_room(unique("today"))
    fill(ann, room, 400)
    ann.page.reload()
    expect(ann.message("line 400")).to_be_in_viewport()
    loaded = ann.count_requests("/messages?")
    top = ann.page.locator(".message").first
    seq = top.get_attribute("data-seq")
    with ann.page.expect_response(lambda response: "before=" in response.url):
        ann.page.locator(".messages").evaluate("(scroller) => { scroller.scrollTop = 0; }")
    expect(ann.page.locator(".message").first).not_to_have_attribute("data-seq", str(seq))
    ann.draw()
    assert len(loaded) == 1
    expect(ann.page.locator(f'[data-seq="{seq}"]')).to_be_in_viewport()
