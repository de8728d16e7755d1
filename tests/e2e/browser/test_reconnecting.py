"""The server dies and comes back: the page says so, resumes, and shows nothing twice."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.browser import Window, meet, talking, unique
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def windows(new_window: Callable[..., Window], new_server: Callable[..., ServerProcess]) -> tuple[Window, Window]:
    """Two people in one room, on a server of their own."""
    server = new_server(rate_limits="off", reconnect_jitter_seconds="1")
    ann, bob = new_window(server), new_window(server)
    meet(ann, bob)
    return ann, bob


def elsewhere(server: ServerProcess) -> ServerProcess:
    """The same data behind other ports, which the page does not know: it stays away until its own server is back."""
    return ServerProcess(f"{server.log.stem}-elsewhere", server.data)


@pytest.mark.parametrize("end", ["killed", "drained"])
def test_nothing_is_lost_and_nothing_comes_twice(windows: tuple[Window, Window], end: str) -> None:
    ann, bob = windows
    ann.say("one")
    bob.say("two")
    expect(ann.message("two")).to_be_visible()
    room = ann.page.url.rpartition("/room/")[2]

    if end == "drained":
        ann.server.terminate()
        assert ann.server.wait() == 0
    ann.server.kill()
    for window in windows:
        expect(window.get("connection-status")).to_contain_text("reconnecting…")
    ann.say("three, while it was away")
    expect(ann.message("three")).to_have_attribute("data-state", "sending")
    ann.screenshot("reconnecting")
    ann.server.start()

    for window in windows:
        expect(window.get("connection-status")).to_have_attribute("data-state", "online")
        expect(window.message("three")).to_have_attribute("data-state", "stored")
    bob.say("four")
    expect(ann.message("four")).to_be_visible()
    with talking(ann.server, ann.token()) as talk:
        talk.send(room, [f"more {number}" for number in range(30)])
    for window in windows:
        expect(window.message("more 29")).to_be_visible()
        window.page.set_viewport_size({"width": 1280, "height": 4000})  # messages out of view have no elements
        expect(window.message("one")).to_be_visible()
        window.expect_texts("one", "two", "three, while it was away", "four", *[f"more {n}" for n in range(30)])


def test_a_message_that_was_not_sent_survives_its_closed_tab(windows: tuple[Window, Window]) -> None:
    ann, bob = windows
    ann.say("one")
    expect(bob.message("one")).to_be_visible()
    address, context = ann.page.url, ann.page.context
    ann.server.kill()
    expect(ann.get("connection-status")).to_contain_text("reconnecting…")
    ann.say("two, while it was away")
    expect(ann.message("two")).to_have_attribute("data-state", "sending")
    ann.page.close()
    ann.server.start()
    tab = Window(context.new_page(), ann.server)
    tab.page.goto(address)
    expect(tab.message("two")).to_have_attribute("data-state", "stored")
    expect(bob.message("two")).to_have_count(1)
    tab.expect_texts("one", "two, while it was away")
    bob.expect_texts("one", "two, while it was away")


def test_a_wait_is_counted_down_and_can_be_cut_short(
    new_window: Callable[..., Window], new_server: Callable[..., ServerProcess]
) -> None:
    """The server may ask for a long wait; who looks at the page need not sit through it."""
    server = new_server(rate_limits="off", reconnect_jitter_seconds="600")
    ann = new_window(server)
    ann.register("ann")
    ann.lenient = True
    ann.new_room(unique("plans"))
    status, button = ann.get("connection-status"), ann.get("connect-now")
    expect(button).to_be_hidden()
    server.terminate()
    assert server.wait() == 0
    server.kill()
    server.start()
    expect(status).to_contain_text(re.compile(r"Next try in \d+ (seconds?|minutes?)"))
    ann.screenshot("connect-now")
    button.click()
    expect(status).to_have_attribute("data-state", "online")
    expect(button).to_be_hidden()


def test_what_happened_meanwhile_is_caught_up_with(windows: tuple[Window, Window]) -> None:
    ann, bob = windows
    ann.say("a typo")
    ann.say("a secret")
    expect(bob.message("a secret")).to_be_visible()
    room = ann.page.url.rpartition("/room/")[2]
    token = ann.token()

    ann.server.kill()
    expect(bob.get("connection-status")).to_contain_text("reconnecting…")
    with elsewhere(ann.server) as other, talking(other, token) as talk:
        talk.command("edit", room=room, seq=1, text="no typo")
        talk.command("delete", room=room, seq=2)
        talk.command("react", room=room, seq=1, emoji="👍")
        talk.send(room, ["something new"])
    ann.server.start()

    expect(bob.message("something new")).to_be_visible()
    expect(bob.message("no typo").get_by_test_id("reaction")).to_be_visible()
    bob.expect_texts("no typo", "This message was deleted.", "something new")


def test_too_much_was_missed(new_window: Callable[..., Window], new_server: Callable[..., ServerProcess]) -> None:
    server = new_server(resume_messages="40")
    ann = new_window(server)
    ann.register("ann")
    ann.lenient = True
    room = ann.new_room(unique("flood"))
    ann.say("before")
    expect(ann.message("before")).to_have_attribute("data-state", "stored")
    token = ann.token()
    server.kill()
    expect(ann.get("connection-status")).to_contain_text("reconnecting…")
    with elsewhere(server) as other, talking(other, token) as talk:
        talk.send(room, [f"flood {number}" for number in range(80)])
    server.start()
    expect(ann.message("flood 79")).to_be_visible()
    texts = ann.texts()
    everything = ["before", *(f"flood {number}" for number in range(80))]
    assert texts == everything[-len(texts) :]  # the page may have read further back already
    ann.say("after")
    expect(ann.message("after")).to_have_attribute("data-seq", "82")
