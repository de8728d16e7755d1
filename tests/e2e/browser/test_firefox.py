"""The ways of every day in Firefox: Debian's ESR, which is older than what most people have."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.axe import find_violations
from tests.support.browser import DEADLINE_MS, PASSWORD, Window, sound, unique
from tests.support.firefox import launch_firefox
from tests.support.patience import patient
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.long]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Headless Firefox."""
    with sync_playwright() as playwright, launch_firefox(playwright, tmp_path_factory.mktemp("firefox")) as found:
        expect.set_options(timeout=patient(DEADLINE_MS))
        yield found


def test_a_day_in_firefox(new_window: Callable[..., Window], server: ServerProcess) -> None:
    ann, bob = new_window(server), new_window(server, viewport={"width": 390, "height": 844})
    ann.register("ann")
    bob.register("bob")
    _log_in_again(ann)
    room = unique("foxes")
    ann.new_room(room)
    _look(ann)
    bob.join(room)
    _talk(ann, bob)
    ann.page.bring_to_front()
    _search(ann)
    _jump(ann, room)
    _change_settings(ann)
    ann.get("logout").click()
    expect(ann.get("login-form")).to_be_visible()
    expect(ann.page.get_by_role("log")).to_be_empty()


def _look(window: Window) -> None:
    window.page.bring_to_front()
    window.draw()
    sound(window)
    assert find_violations(window) == []


def _log_in_again(window: Window) -> None:
    window.get("logout").click()
    expect(window.get("login-form")).to_be_visible()
    window.log_in(window.name, PASSWORD)
    expect(window.get("me")).to_have_text(window.name)
    window.page.reload()
    expect(window.get("me")).to_have_text(window.name)


def _talk(ann: Window, bob: Window) -> None:
    """Marked text, a completed mention, a reaction, an edit, an emoji, an answer that quotes."""
    ann.say("**Good** morning, `all`")
    expect(bob.message("Good morning").locator("strong")).to_have_text("Good")
    ann.get("composer").press_sequentially(f"@{bob.name[:3]}")
    expect(ann.page.get_by_role("option", name=bob.name)).to_have_attribute("aria-selected", "true")
    ann.page.keyboard.press("Enter")
    ann.page.keyboard.type("tea?")
    ann.page.keyboard.press("Enter")
    expect(bob.page.locator(".mention.me")).to_have_text(f"@{bob.name}")
    bob.act("tea?", "react-👍")
    expect(ann.message("tea?").get_by_test_id("reaction")).to_be_visible()
    ann.page.keyboard.press("ArrowUp")
    expect(ann.get("context")).to_be_visible()
    ann.write("composer", "coffee?")
    ann.page.keyboard.press("Enter")
    expect(bob.message("coffee?")).to_be_visible()
    bob.act("coffee?", "reply")
    bob.get("open-emoji").click()
    bob.write("emoji-search", "tea")
    bob.get("emoji-picker").get_by_role("gridcell").or_(bob.get("emoji-picker").get_by_role("option")).first.click()
    bob.get("send").click()
    expect(ann.page.locator(".quote-text")).to_contain_text("coffee?")
    _look(ann)
    _look(bob)


def _search(ann: Window) -> None:
    ann.get("open-search").click()
    ann.write("search-page-input", "coffee")
    ann.get("search-page-input").press("Enter")
    ann.get("search-page-hit").first.click()
    expect(ann.message("coffee?").first).to_be_in_viewport()


def _jump(ann: Window, room: str) -> None:
    """By Ctrl+K, with which Firefox itself goes to its field for searches. One window alone has the focus there."""
    ann.page.keyboard.press("Control+k")
    expect(ann.get("switcher-input")).to_be_focused()
    ann.page.keyboard.type(room)
    expect(ann.get("switcher-item").first).to_contain_text(room)
    _look(ann)
    ann.page.keyboard.press("Enter")
    expect(ann.get("switcher-input")).to_have_count(0)
    expect(ann.get("composer")).to_be_visible()


def _change_settings(ann: Window) -> None:
    ann.get("settings").click()
    for tab in ("security", "notifications", "privacy", "appearance"):
        ann.get(f"settings-{tab}").click()
        expect(ann.get(f"settings-{tab}")).to_have_attribute("aria-selected", "true")
        _look(ann)
    ann.page.get_by_text("Dark", exact=True).click()
    expect(ann.page.locator("html")).to_have_attribute("data-theme", "dark")
    _look(ann)
