"""Reading long conversations: where one lands, what is loaded, and what stays in place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

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


def say_lines(window: Window, room: str, first: int, last: int) -> None:
    """Say `line 1` to `line 10` in a room for 1 and 10, all of it today."""
    with talking(window.server, window.token()) as talk:
        for begin in range(first, last + 1, 500):
            talk.send(room, [f"line {number}" for number in range(begin, min(begin + 500, last + 1))])


def test_one_scroll_to_the_top_loads_one_page(ann: Window) -> None:
    room = ann.new_room(unique("today"))
    say_lines(ann, room, 1, 400)
    # What the page has kept shows before what the server has.
    with ann.page.expect_response(lambda response: "/messages?" in response.url):
        ann.page.reload()
    expect(ann.message("line 400")).to_be_in_viewport()
    ann.rest()
    loaded = ann.count_requests("/messages?")
    with ann.page.expect_response(lambda response: "before=" in response.url):
        ann.page.locator(".messages").evaluate("(scroller) => { scroller.scrollTop = 0; }")
    expect(ann.message("line 350")).to_be_attached()
    ann.draw()
    assert len(loaded) == 1
    expect(ann.message("line 351")).to_be_in_viewport()


def scroll_down_to(window: Window, text: str) -> None:
    """Scroll on as with a wheel until the message is in view: those far out of view have no elements."""
    for _ in range(60):
        if window.message(text).count():
            break
        window.page.locator(".messages").evaluate("(scroller) => scroller.scrollBy(0, 200)")
        window.draw()
    window.message(text).first.scroll_into_view_if_needed()


def scroll_on(window: Window, loaded: list[str], page: int) -> bool:
    """Scroll to the end of what is loaded. Whether more than so many pages below were asked for."""
    window.page.locator(".messages").evaluate("(scroller) => { scroller.scrollTop = scroller.scrollHeight; }")
    return sum("after=" in address for address in loaded) > page


NODES = "() => document.querySelectorAll('*').length"


@pytest.fixture
def away(ann: Window, bob: Window) -> tuple[str, str]:
    """A room whose eleven messages Bob has read before he went elsewhere; its id and its name."""
    name = unique("away")
    room = ann.new_room(name)
    bob.join(name)
    say_lines(ann, room, 1, 11)
    expect(bob.message("line 11")).to_be_in_viewport()
    bob.write_to(ann.name)
    with talking(bob.server, bob.token()) as talk:
        # The page says it too, but at most once a second.
        talk.command("read", room=room, seq=11)
    return room, name


@pytest.mark.parametrize("count", [51, 120])
def test_one_comes_back_to_where_one_left_off(ann: Window, bob: Window, away: tuple[str, str], count: int) -> None:
    room, name = away
    newest = 11 + count
    say_lines(ann, room, 12, newest)
    badge = bob.get("room-item").filter(has_text=name).get_by_test_id("unread")
    expect(badge).to_contain_text("99+" if count > 99 else str(count))
    loaded = bob.count_requests("/messages?")
    bob.enter(name)
    line = bob.page.locator(".unread-line")
    expect(line).to_be_in_viewport()
    expect(line).to_have_text(re.compile(rf"^{count} new since \d"))
    expect(bob.message("line 12").first).to_be_in_viewport()
    expect(bob.message("line 11").first).to_be_in_viewport()
    expect(bob.message(f"line {newest}")).not_to_be_in_viewport()
    unread = "|".join(map(str, range(count - 29, count)))  # what is in view was read
    expect(bob.get("jump")).to_have_text(re.compile(rf"^Latest · ({unread}) new$"))
    expect(bob.get("jump-unread")).to_be_hidden()
    bob.screenshot(f"unread-{count}")
    bob.get("jump").click()
    expect(bob.message(f"line {newest}")).to_be_in_viewport()
    expect(badge).to_have_count(0)
    expect(bob.get("jump-unread")).to_have_text(re.compile(rf"^{count} new since \d"))
    bob.screenshot(f"unread-{count}-end")
    bob.get("jump-unread").click()
    expect(bob.message("line 12").first).to_be_in_viewport()
    expect(bob.get("jump-unread")).to_be_hidden()
    assert len(loaded) <= 3


def test_what_was_seen_is_read_and_the_rest_is_not(ann: Window, bob: Window, away: tuple[str, str]) -> None:
    room, name = away
    say_lines(ann, room, 12, 131)
    badge = bob.get("room-item").filter(has_text=name).get_by_test_id("unread")
    expect(badge).to_contain_text("99+")
    bob.enter(name)
    expect(bob.message("line 12").first).to_be_in_viewport()
    scroll_down_to(bob, "line 60")
    expect(badge).to_have_text(re.compile(r"^(\d\d) \1 unread$"))
    bob.write_to(ann.name)
    bob.enter(name)
    expect(bob.page.locator(".unread-line")).to_be_in_viewport()
    between = re.compile(r"^(6[1-9]|[78]\d)$")
    expect(bob.page.locator(".unread-line + .message")).to_have_attribute("data-seq", between)


def test_a_room_that_was_never_read_opens_at_its_beginning(ann: Window, bob: Window) -> None:
    name = unique("never")
    room = ann.new_room(name, private=True)
    ann.get("open-members").click()
    ann.page.get_by_role("button", name="Add people").click()
    ann.get("people-search").fill(bob.name)
    expect(ann.get("people-results")).to_have_attribute("aria-busy", "false")
    ann.get("people-results").get_by_role("button", name=bob.name).click()
    expect(bob.get("room-item").filter(has_text=name)).to_be_visible()
    say_lines(ann, room, 1, 80)
    expect(bob.get("room-item").filter(has_text=name).get_by_test_id("unread")).to_contain_text("80")
    bob.enter(name)
    expect(bob.page.locator(".unread-line")).to_have_text(re.compile(r"^80 new since \d"))
    expect(bob.message("line 1").first).to_be_in_viewport()


def test_a_room_that_was_read_opens_at_its_end(ann: Window, bob: Window, away: tuple[str, str]) -> None:
    _, name = away
    bob.enter(name)
    expect(bob.message("line 11")).to_be_in_viewport()
    expect(bob.page.locator(".unread-line")).to_have_count(0)
    expect(bob.get("jump")).to_be_hidden()


def test_ten_thousand_unread_cost_three_requests_and_few_elements(
    ann: Window, bob: Window, away: tuple[str, str]
) -> None:
    room, name = away
    bob.page.goto("about:blank")
    say_lines(ann, room, 12, 10_011)
    bob.open()
    expect(bob.get("room-item").filter(has_text=name).get_by_test_id("unread")).to_contain_text("99+")
    loaded = bob.count_requests("/messages?")
    bob.enter(name)
    expect(bob.message("line 12").first).to_be_in_viewport()
    expect(bob.page.locator(".unread-line")).to_have_text(re.compile(r"^1,000\+ new since \d"))
    bob.get("jump").click()
    expect(bob.message("line 10011")).to_be_in_viewport()
    bob.get("jump-unread").click()
    expect(bob.message("line 12").first).to_be_in_viewport()
    bob.rest()
    assert len(loaded) <= 3
    assert bob.page.evaluate(NODES) <= 2000
    bob.page.locator(".messages").hover()
    for page in range(12):
        bob.eventually(partial(scroll_on, bob, loaded, page), True)
        assert bob.page.evaluate(NODES) <= 2000
    bob.rest()
    seqs = bob.page.locator(".message").evaluate_all("all => all.map((one) => Number(one.dataset.seq))")
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert seqs[0] > 300
