"""For everyone: a phone of 360 pixels, the keyboard alone, names for screen readers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, Window, sound, unique
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]
OpenWindow = Callable[..., Window]


def test_a_phone(new_window: OpenWindow, server: ServerProcess, bob: Window) -> None:
    phone = new_window(server, viewport=PHONE, is_mobile=True, has_touch=True, color_scheme="dark")
    phone.open()
    sound(phone)
    phone.register("phone")
    sound(phone)
    phone.screenshot("phone-list")
    name = unique("a room with a name that is far too long for any phone that there is today")
    phone.new_room(name)
    expect(phone.get("room-list")).to_be_hidden()
    bob.join(name)
    bob.say(f"a very{'y' * 300} long word")
    bob.act("long word", "react-👍")
    expect(phone.message("long word").get_by_test_id("reaction")).to_be_visible()
    sound(phone)
    phone.message("long word").tap()
    phone.get("reply").tap()
    sound(phone)
    phone.screenshot("phone-room")
    phone.get("composer").fill("answer")
    phone.get("send").tap()
    expect(bob.message("answer")).to_be_visible()
    phone.get("open-members").tap()
    expect(phone.get("member")).to_have_count(2)
    sound(phone)
    phone.page.get_by_role("button", name=f"Manage {bob.name}").tap()
    expect(phone.get("role")).to_be_visible()
    sound(phone)
    phone.page.keyboard.press("Escape")
    phone.page.keyboard.press("Escape")
    expect(phone.get("member-list")).to_have_count(0)
    phone.get("back").tap()
    expect(phone.get("room-list")).to_be_visible()
    expect(phone.get("composer")).to_have_count(0)


def test_the_keyboard_alone(ann: Window, bob: Window) -> None:
    name = unique("keys")
    ann.page.mouse.move(0, 0)
    room = ann.page.get_by_role("button", name="New room").first
    room.focus()
    ann.page.keyboard.press("Enter")
    expect(ann.get("room-name")).to_be_visible()
    ann.page.keyboard.press("Escape")
    expect(room).to_be_focused()
    ann.page.keyboard.press("Enter")
    ann.get("room-name").focus()
    ann.page.keyboard.type(name)
    ann.page.keyboard.press("Enter")
    expect(ann.get("composer")).to_be_focused()
    bob.join(name)
    ann.page.keyboard.type("first")
    ann.page.keyboard.press("Shift+Enter")
    ann.page.keyboard.type("second")
    ann.page.keyboard.press("Enter")
    expect(bob.message("second")).to_be_visible()
    expect(bob.message("first")).to_have_count(1)
    bob.say("an answer")
    expect(ann.message("an answer")).to_be_visible()

    ann.page.keyboard.press("Shift+Tab")
    expect(ann.message("an answer")).to_be_focused()
    ann.page.keyboard.press("ArrowUp")
    expect(ann.message("second")).to_be_focused()
    ann.page.keyboard.press("End")
    expect(ann.message("an answer")).to_be_focused()
    ann.page.keyboard.press("Tab")
    ann.page.keyboard.press("Enter")
    expect(bob.message("an answer").get_by_test_id("reaction")).to_have_attribute("aria-pressed", "false")
    sound(ann)


def test_mentions_are_completed(ann: Window, bob: Window) -> None:
    name = unique("mentions")
    ann.new_room(name)
    bob.join(name)
    expect(ann.page.locator(".conv-about")).to_contain_text("2 members")
    ann.get("composer").press_sequentially("Hello @bo")
    option = ann.page.get_by_role("option", name=bob.name)
    expect(option).to_have_attribute("aria-selected", "true")
    ann.get("composer").press("Enter")
    expect(ann.get("composer")).to_have_value(f"Hello @{bob.name} ")
    ann.get("composer").press("Enter")
    expect(bob.page.locator(".mention.me")).to_have_text(f"@{bob.name}")


def test_what_a_screen_reader_finds(ann: Window, bob: Window) -> None:
    name = unique("spoken")
    ann.new_room(name)
    bob.join(name)
    bob.say("to be read out")
    expect(ann.page.get_by_role("log", name="New messages")).to_contain_text(f"{bob.name}: to be read out")
    expect(ann.page.get_by_role("navigation", name="Conversations")).to_be_visible()
    expect(ann.page.get_by_role("main")).to_be_visible()
    expect(ann.page.get_by_role("list", name=f"Messages in {name}")).to_be_visible()
    expect(ann.get("connection-status")).to_have_attribute("role", "status")
    expect(ann.page.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
    sound(ann)
