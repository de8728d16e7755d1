"""Fingers on a phone: a swipe, a long press, Back and the tabs; and the page as an installed app."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Playwright, expect, sync_playwright

from tests.support.browser import FLAGS, Window, find_chromium, launch, sound, unique
from tests.support.fingers import press_long, swipe
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
WORKER_ANSWERS = "() => navigator.serviceWorker.controller !== null"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launch(playwright) as found:
        yield found


@pytest.fixture
def phone(new_window: Callable[..., Window], server: ServerProcess, bob: Window) -> Window:
    """One who is in a room in which Bob has written."""
    window = new_window(server, **PHONE, reduced_motion="reduce")
    window.register("phone")
    room = unique("pocket")
    window.new_room(room)
    bob.join(room)
    bob.say("from the desk")
    expect(window.message("from the desk")).to_be_visible()
    window.rest()
    return window


def test_a_swipe_to_the_side_answers(phone: Window, bob: Window) -> None:
    text = phone.message("from the desk").locator(".text")
    _swipe(phone, text, -40)
    _swipe(phone, text, 90)
    expect(phone.get("context")).to_have_count(0)
    phone.eventually(lambda: _swipe(phone, text, -90), True)
    expect(phone.get("context")).to_contain_text("from the desk")
    expect(phone.message("from the desk")).to_have_css("transform", "none")
    phone.get("composer").fill("from the tram")
    # No tap: the browser takes one that follows a swipe at once for its end.
    phone.get("send").click()
    expect(bob.message("from the tram").locator(".quote-text")).to_contain_text("from the desk")


def _swipe(phone: Window, at: Locator, by: float) -> bool:
    """Whether an answer is begun then. On a machine so busy that the finger seems to rest, that is a long press."""
    swipe(phone, at, by)
    phone.draw()
    sheet = phone.get("message-sheet")
    if sheet.is_visible():
        phone.page.go_back()
        expect(sheet).to_have_count(0)
    return phone.get("context").is_visible()


def test_back_closes_the_sheet_then_the_panel_then_the_room(phone: Window) -> None:
    _look_over(phone)
    phone.page.go_back()
    expect(phone.get("room-list")).to_be_visible()
    expect(phone.get("composer")).to_have_count(0)


def test_back_does_so_after_the_room_was_opened_by_its_address(
    phone: Window, new_window: Callable[..., Window]
) -> None:
    room = phone.page.url
    again = Window(phone.page.context.new_page(), phone.server)
    again.page.goto(room)
    expect(again.message("from the desk")).to_be_visible()
    again.page.reload()
    expect(again.message("from the desk")).to_be_visible()
    again.rest()
    _look_over(again)
    again.page.go_back()
    expect(again.get("room-list")).to_be_visible()
    again.check()

    panel = Window(phone.page.context.new_page(), phone.server)
    panel.page.goto(f"{room}/members")
    expect(panel.get("member")).to_have_count(2)
    panel.page.go_back()
    expect(panel.get("member")).to_have_count(0)
    expect(panel.get("composer")).to_be_visible()
    panel.page.go_back()
    expect(panel.get("room-list")).to_be_visible()
    panel.check()


def _look_over(phone: Window) -> None:
    """In a room, where one is also in the end: what lies over it closes by one Back, or by itself without a trace."""
    composer, back = phone.get("composer"), phone.page.go_back
    press_long(phone, phone.message("from the desk").locator(".text"), phone.get("message-sheet"))
    sound(phone)
    back()
    expect(phone.get("message-sheet")).to_have_count(0)
    expect(composer).to_be_visible()

    phone.get("open-members").tap()
    expect(phone.get("member")).to_have_count(2)
    menu = phone.page.get_by_role("menu")
    phone.get("manage").tap()
    expect(menu).to_be_visible()
    back()
    expect(menu).to_have_count(0)
    phone.get("manage").tap()
    phone.get("change-role").tap()
    _expect_focus(phone.get("role-dialog"))
    back()
    expect(phone.get("role-dialog")).to_have_count(0)
    expect(phone.get("member")).to_have_count(2)
    back()
    expect(phone.get("member")).to_have_count(0)
    expect(composer).to_be_visible()

    phone.get("open-emoji").tap()
    expect(phone.get("emoji-picker")).to_be_visible()
    back()
    expect(phone.get("emoji-picker")).to_have_count(0)
    press_long(phone, phone.message("from the desk").locator(".text"), phone.get("message-sheet"))
    phone.get("message-sheet").get_by_test_id("react-👍").tap()
    expect(phone.message("from the desk").get_by_test_id("reaction")).to_be_visible()
    phone.eventually(lambda: phone.page.evaluate("history.state?.depth ?? 0"), 0)
    expect(composer).to_be_visible()


def _expect_focus(layer: Locator) -> None:
    """It has opened to the end."""
    expect(layer.and_(layer.page.locator(":focus-within"))).to_be_visible()


def test_the_tabs_lead_from_screen_to_screen(phone: Window, bob: Window) -> None:
    tabs = phone.page.get_by_role("navigation", name="Places").get_by_role("link")
    expect(tabs).to_have_count(0)
    phone.get("back").tap()
    expect(phone.get("room-list")).to_be_visible()
    expect(tabs).to_have_text(["Chats", "Activity", "Search", "You"])
    bob.say(f"@{phone.name}, look")
    expect(phone.get("tab-chats-count")).to_have_text("1 mention")
    expect(phone.get("tab-activity-count")).to_be_visible()
    screens = ["activity-item", "search-page-input", "settings-page", "room-list"]
    for place, screen in zip([1, 2, 3, 0], screens, strict=True):
        tabs.nth(place).tap()
        expect(phone.get(screen).first).to_be_visible()
        expect(tabs.nth(place)).to_have_attribute("aria-current", "page")
        box = tabs.nth(place).bounding_box()
        assert box is not None
        assert box["height"] >= 44
        sound(phone)


@contextmanager
def _installed(playwright: Playwright, folder: Path, server: ServerProcess) -> Iterator[Window]:
    """A window whose storage lasts: without one, nothing can be installed."""
    path, missing = find_chromium()
    if missing:
        pytest.skip(missing)
    with playwright.chromium.launch_persistent_context(folder, executable_path=path, args=FLAGS, **PHONE) as context:
        yield Window(context.pages[0], server)


def test_it_can_be_installed_and_opens_offline(
    playwright: Playwright, tmp_path: Path, new_server: Callable[..., ServerProcess]
) -> None:
    server = new_server()
    with _installed(playwright, tmp_path, server) as window:
        window.register("home")
        window.new_room(unique("kept"))
        window.say("seen last")
        expect(window.message("seen last")).to_have_attribute("data-state", "stored")
        window.page.wait_for_function(WORKER_ANSWERS)
        devtools = window.page.context.new_cdp_session(window.page)
        assert devtools.send("Page.getInstallabilityErrors") == {"installabilityErrors": []}
        told = devtools.send("Page.getAppManifest")
        assert told["errors"] == []
        manifest = json.loads(told["data"])
        assert (manifest["name"], manifest["start_url"], manifest["display"]) == ("Rookery", "./", "standalone")
        icons = {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]}
        assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} <= icons
        window.page.reload()
        expect(window.message("seen last")).to_be_visible()
        server.terminate()
        server.wait()
        window.lenient = True
        start = Window(window.page.context.new_page(), server)
        start.lenient = True
        start.page.goto(told["manifest"]["startUrl"])
        start.get("room-item").first.tap()
        expect(start.message("seen last")).to_be_visible()
