"""The page in headless Chromium: two people in two windows, against the real process."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import NewServer
from tests.support.process import ServerProcess
from tests.support.windows import Window, chromium

pytestmark = [pytest.mark.slow, pytest.mark.browser]

_numbers = itertools.count(1)
NewWindow = Callable[..., Window]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the module."""
    with chromium() as found:
        yield found


@pytest.fixture
def window(browser: Browser) -> Iterator[NewWindow]:
    """Opens windows, and checks their consoles at the end."""
    opened: list[Window] = []

    def open_(server: ServerProcess, name: str) -> Window:
        found = Window(browser, server, f"{name}{next(_numbers)}")
        opened.append(found)
        return found

    yield open_
    for one in opened:
        one.close()


def test_two_people_chat(server: ServerProcess, window: NewWindow) -> None:
    ada, bob = window(server, "ada"), window(server, "bob")
    ada.shoot("1-sign-in")
    ada.register()
    bob.register()
    ada.new_room("Garden")
    bob.join_room("Garden")

    ada.say("Good morning, Bob")
    bob.sees("Good morning, Bob")
    bob.at("composer").press_sequentially("Good mor")
    expect(ada.at("typing")).to_contain_text(bob.name)
    ada.shoot("2-typing")
    bob.say("Good morning, Ada")
    ada.sees("Good morning, Ada")
    bob.sees("Good morning, Ada")
    assert ada.seqs() == bob.seqs() == [1, 2]

    ada.at("composer").press("ArrowUp")
    ada.at("composer").fill("Good evening, Bob")
    ada.at("composer").press("Enter")
    bob.sees("Good evening, Bob")
    expect(bob.message("Good morning, Bob")).to_have_count(0)

    bob.message("Good evening, Bob").hover()
    bob.at("react-👍").first.click()
    expect(ada.message("Good evening, Bob").get_by_test_id("reaction")).to_contain_text("1")

    for one in (ada, bob):
        one.shoot(f"3-chat-{one.name[:3]}")
        one.page.reload()
        one.sees("Good evening, Bob")
        one.sees("Good morning, Ada")
        expect(one.message("Good evening, Bob").get_by_test_id("reaction")).to_contain_text("1")
        assert one.seqs() == [1, 2]


def test_direct_messages_unread_counts_and_presence(server: ServerProcess, window: NewWindow) -> None:
    ada, bob = window(server, "ada"), window(server, "bob")
    ada.register()
    bob.register()
    bob.new_room("Bob's own")
    ada.at("new-dm").click()
    ada.at("people-search").fill(bob.name)
    ada.at("people-results").get_by_text(bob.name).first.click()
    ada.say("psst")
    ada.say("are you there?")
    expect(bob.at("people-list").get_by_test_id("unread")).to_contain_text("2")
    expect(bob.page).to_have_title(re.compile(r"^\(2\)"))
    person = bob.at("people-list").get_by_test_id("person-item").filter(has_text=ada.name)
    expect(person.get_by_test_id("presence-dot")).to_have_attribute("data-state", "online")
    person.click()
    bob.sees("psst")
    bob.sees("are you there?")
    expect(bob.at("people-list").get_by_test_id("unread")).to_have_count(0)
    bob.say("yes")
    ada.sees("yes")
    bob.shoot("4-direct")
    bob.page.goto("about:blank")
    other = ada.at("people-list").get_by_test_id("person-item").filter(has_text=bob.name)
    expect(other.get_by_test_id("presence-dot")).to_have_attribute("data-state", "offline")


def test_a_restart_shows_as_reconnecting_and_nothing_comes_twice(new_server: NewServer, window: NewWindow) -> None:
    server = new_server(reconnect_jitter_seconds="1")
    ada, bob = window(server, "ada"), window(server, "bob")
    ada.register()
    bob.register()
    ada.new_room("Harbour")
    bob.join_room("Harbour")
    for number in range(3):
        ada.say(f"before {number}")
        bob.sees(f"before {number}")
    for kill in (False, True):
        if not kill:
            server.terminate()
            assert server.wait() == 0
        server.kill()
        for one in (ada, bob):
            expect(one.at("connection-status")).to_have_attribute("data-state", "reconnecting")
            expect(one.at("connection-status")).to_contain_text("reconnecting…")
        ada.shoot("5-reconnecting")
        bob.say(f"written while it was away, {kill}")
        server.start()
        for one in (ada, bob):
            expect(one.at("connection-status")).to_have_attribute("data-state", "online")
            one.sees(f"written while it was away, {kill}")
        ada.say(f"after, {kill}")
        bob.sees(f"after, {kill}")
    assert ada.seqs() == bob.seqs() == list(range(1, 8))
    bob.shoot("6-resumed")
