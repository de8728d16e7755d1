"""Composing: emoji by search and by name, formats, on desktops and phones."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import OpenWindow
from tests.support.browser import PHONE, Window, sound, unique
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_an_emoji_is_found_in_two_languages_and_put_where_one_writes(ann: Window) -> None:
    ann.new_room(unique("emoji"))
    composer = ann.get("composer")
    composer.fill("up! ")
    ann.get("open-emoji").click()
    expect(ann.get("emoji-search")).to_be_focused()
    ann.screenshot("emoji-picker")
    sound(ann)
    ann.get("emoji-search").fill("ракета")
    expect(ann.page.get_by_role("option").first).to_have_text("🚀")
    ann.page.keyboard.press("Enter")
    expect(composer).to_have_value("up! 🚀")
    expect(composer).to_be_focused()
    composer.press_sequentially(" :tada:")
    expect(composer).to_have_value("up! 🚀 🎉")
    composer.press("Control+z")
    expect(composer).to_have_value("up! 🚀 :tada:")
    composer.press("Enter")
    expect(ann.message("up! 🚀")).to_be_visible()


def test_any_emoji_is_a_reaction(ann: Window) -> None:
    ann.new_room(unique("reactions"))
    ann.say("done")
    expect(ann.message("done")).to_have_attribute("data-state", "stored")
    ann.act("done", "react")
    ann.get("emoji-search").fill("ракета")
    expect(ann.page.get_by_role("option").first).to_have_text("🚀")
    ann.page.keyboard.press("Enter")
    expect(ann.message("done").get_by_test_id("reaction")).to_contain_text("🚀")
    expect(ann.get("emoji-picker")).to_have_count(0)


def test_a_preview_shows_the_markdown(ann: Window) -> None:
    ann.new_room(unique("preview"))
    ann.get("composer").fill("**strong** words")
    ann.get("toggle-preview").click()
    expect(ann.get("preview").locator("strong")).to_have_text("strong")
    ann.get("toggle-preview").click()
    expect(ann.get("composer")).to_have_value("**strong** words")


def test_formats_are_undone_as_typed_text_is(ann: Window) -> None:
    ann.new_room(unique("formats"))
    composer = ann.get("composer")
    composer.press_sequentially("a word")
    expect(composer).to_have_value("a word")
    composer.press("Control+Shift+ArrowLeft")
    composer.press("Control+b")
    expect(composer).to_have_value("a **word**")
    composer.press("Control+z")
    expect(composer).to_have_value("a word")
    ann.screenshot("composer")


def test_on_a_phone_the_picker_is_a_sheet(new_window: OpenWindow, server: ServerProcess) -> None:
    phone = new_window(server, viewport=PHONE, is_mobile=True, has_touch=True)
    phone.register("phone")
    phone.new_room(unique("sheet"))
    phone.get("open-emoji").tap()
    expect(phone.get("emoji-picker")).to_be_visible()
    phone.screenshot("emoji-sheet")
    sound(phone)
    phone.get("emoji-🎉").first.tap()
    expect(phone.get("emoji-picker")).to_have_count(0)
    expect(phone.get("composer")).to_have_value("🎉")
    phone.get("send").tap()
    expect(phone.message("🎉")).to_be_visible()
