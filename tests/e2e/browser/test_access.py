"""For everyone: a phone of 360 pixels, the keyboard alone, names for screen readers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.browser import PHONE, Window, sound, talking, unique
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]
OpenWindow = Callable[..., Window]


def test_a_phone(new_window: OpenWindow, server: ServerProcess, bob: Window) -> None:
    phone = new_window(server, viewport=PHONE, is_mobile=True, has_touch=True, color_scheme="dark")
    phone.open()
    expect(phone.get("login-form")).to_be_visible()
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
    expect(phone.get("change-role")).to_be_visible()
    sound(phone)
    phone.get("change-role").tap()
    expect(phone.get("role")).to_be_visible()
    sound(phone)
    phone.escape()
    expect(phone.get("role")).to_have_count(0)
    # Its tooltip shows at the button that has the focus again; Escape would take that away first.
    phone.page.locator(".panel").get_by_role("button", name="Close").tap()
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
    expect(ann.get("room-name")).to_be_focused()
    ann.page.keyboard.press("Escape")
    expect(room).to_be_focused()
    ann.page.keyboard.press("Enter")
    expect(ann.get("room-name")).to_be_focused()
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
    expect(ann.message("an answer").get_by_test_id("open-author")).to_be_focused()
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


def test_the_enter_of_an_input_method_sends_nothing(ann: Window) -> None:
    ann.new_room(unique("kana"))
    composer = ann.get("composer")
    composer.fill("にほn")
    # Safari ends the composition first, and gives the Enter that did it the code 229.
    for init in ("{ key: 'Enter', keyCode: 229 }", "{ key: 'Enter', isComposing: true }"):
        composer.evaluate(
            f"(field) => field.dispatchEvent(new KeyboardEvent('keydown', Object.assign({init}, {{ bubbles: true }})))"
        )
        expect(composer).to_have_value("にほn")
    composer.fill("日本")
    composer.press("Enter")
    expect(ann.message("日本")).to_be_visible()
    expect(composer).to_have_value("")
    ann.draw()
    assert ann.texts() == ["日本"]


def test_the_enter_of_a_keyboard_on_the_screen_begins_a_line(new_window: OpenWindow, server: ServerProcess) -> None:
    phone = new_window(server, viewport=PHONE, is_mobile=True, has_touch=True)
    phone.register("lines")
    phone.new_room(unique("lines"))
    composer = phone.get("composer")
    expect(composer).to_have_attribute("enterkeyhint", "enter")
    composer.press_sequentially("one")
    composer.press("Enter")
    composer.press_sequentially("two")
    expect(composer).to_have_value("one\ntwo")
    phone.get("send").tap()
    expect(phone.message("two")).to_have_count(1)
    phone.expect_texts("one\ntwo")


def test_a_role_changes_when_it_is_applied(ann: Window, bob: Window) -> None:
    name = unique("roles")
    ann.new_room(name)
    bob.join(name)
    ann.get("open-members").click()
    line = ann.get("member").filter(has_text=bob.name)
    line.get_by_test_id("manage").click()
    ann.get("change-role").click()
    expect(ann.page.get_by_role("radio", name="Member")).to_be_focused()
    changed = ann.count_requests("/members/")
    ann.page.keyboard.press("ArrowUp")
    ann.page.keyboard.press("ArrowUp")
    expect(ann.page.get_by_role("radio", name="Owner")).to_be_checked()
    ann.draw()
    assert changed == []
    ann.screenshot("manage")
    ann.get("apply-role").click()
    expect(line).to_contain_text("Owner")
    assert len(changed) == 1


def test_dialogs_begin_at_their_first_field(ann: Window) -> None:
    ann.get("new-dm").click()
    expect(ann.get("people-search")).to_be_focused()
    ann.page.keyboard.press("Escape")
    ann.new_room(unique("fields"))
    ann.get("open-members").click()
    ann.get("room-about").click()
    ann.get("edit-about").click()
    expect(ann.page.get_by_role("textbox", name="Topic")).to_be_focused()
    ann.page.keyboard.press("Escape")
    expect(ann.page.get_by_role("textbox", name="Topic")).to_have_count(0)
    ann.get("leave-room").click()
    expect(ann.page.get_by_role("button", name="Cancel")).to_be_focused()
    ann.page.keyboard.press("Enter")
    expect(ann.get("confirm")).to_have_count(0)


def test_a_hit_of_a_room_on_a_phone_opens_it(new_window: OpenWindow, server: ServerProcess) -> None:
    phone = new_window(server, viewport=PHONE, is_mobile=True, has_touch=True)
    phone.register("seeker")
    phone.new_room(unique("hits"))
    phone.say("a needle")
    expect(phone.message("a needle")).to_have_attribute("data-state", "stored")
    for _ in range(2):
        phone.page.get_by_role("button", name="Search messages").last.tap()
        phone.get("search-page-input").press_sequentially("needle")
        phone.get("search-page-input").press("Enter")
        phone.get("search-page-hit").filter(has_text="a needle").tap()
        expect(phone.get("search-page-input")).to_have_count(0)
        expect(phone.message("a needle")).to_be_in_viewport()


def test_a_text_of_thousands_of_lines_folds(ann: Window) -> None:
    room = ann.new_room(unique("folds"))
    with talking(ann.server, ann.token()) as talk:
        talk.send(room, ["a\n" * 8_000 + "the end", "after it"])
    expect(ann.message("after it")).to_be_in_viewport(ratio=1)
    long = ann.page.locator(".message").first

    def is_high(pixels: int) -> bool:
        return bool(long.evaluate("(one, pixels) => one.getBoundingClientRect().height > pixels", pixels))

    assert not is_high(800)
    unfold = long.get_by_test_id("unfold")
    expect(unfold).to_have_text("Show all (8,001 lines)")
    unfold.click()
    expect(long).to_contain_text("the end")
    assert is_high(100_000)
    expect(unfold).to_be_focused()
    unfold.press("Enter")
    expect(long).not_to_contain_text("the end")
    assert not is_high(800)
    sound(ann)
    ann.screenshot("folded")


def test_hebrew_and_arabic_run_from_the_right(ann: Window, bob: Window) -> None:
    name = f"{unique('plans')} שלום"
    ann.new_room(name)
    bob.join(name)
    for text, expected in (("שלום, מה שלומך?", "rtl"), ("مرحبا بالعالم", "rtl"), ("Hello, שלום", "ltr")):
        composer = ann.get("composer")
        composer.fill(text)
        expect(composer).to_have_css("direction", expected)
        composer.press("Enter")
        expect(bob.message(text).locator(".text")).to_have_css("direction", expected)
    ann.act("מה שלומך?", "reply")
    expect(ann.page.locator(".context-text")).to_have_attribute("dir", "auto")
    ann.say("תשובה")
    expect(bob.message("תשובה").locator(".quote-text")).to_have_css("direction", "rtl")
    for place in (".conv-name", ".item-name", ".sender"):
        expect(bob.page.locator(place).first).to_have_attribute("dir", "auto")
    bob.screenshot("hebrew")
