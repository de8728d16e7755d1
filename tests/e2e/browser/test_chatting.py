"""Two people in two windows: what one does, the other sees."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import OpenWindow
from tests.support.browser import Window, unique

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def room(ann: Window, bob: Window) -> str:
    """A public room that both look at; its name."""
    name = unique("plans")
    ann.new_room(name)
    bob.join(name)
    return name


def test_messages_of_a_room(ann: Window, bob: Window, room: str) -> None:
    ann.say("Hello, is anyone here?")
    seen = bob.message("Hello, is anyone here?")
    expect(seen).to_be_visible()
    expect(seen).to_have_attribute("data-seq", "1")
    bob.say("Yes!\nTwo lines.")
    expect(ann.message("Two lines.")).to_have_count(1)
    own = bob.message("Two lines.")
    expect(own).to_have_attribute("data-state", "stored")
    expect(own).to_have_attribute("data-seq", "2")
    assert own.get_attribute("data-client-id") == ann.message("Two lines.").get_attribute("data-client-id")
    expect(ann.page).to_have_title(f"{room} · Rookery")
    ann.screenshot("room-light")
    bob.screenshot("room-dark")


def test_typing_shows_and_ends(ann: Window, bob: Window, room: str) -> None:
    bob.get("composer").press_sequentially("I am")
    expect(ann.get("typing")).to_have_text(f"{bob.name} is typing…")
    expect(bob.get("typing")).to_have_text("")
    bob.get("send").click()
    expect(ann.message("I am")).to_be_visible()
    expect(ann.get("typing")).to_have_text("")


def test_edit_delete_react_and_reply(ann: Window, bob: Window, room: str) -> None:
    bob.say("Ship it on Thursay")
    expect(ann.message("Thursay")).to_be_visible()
    expect(bob.message("Thursay")).to_have_attribute("data-state", "stored")
    bob.get("composer").press("ArrowUp")
    expect(bob.get("composer")).to_have_value("Ship it on Thursay")
    bob.get("composer").fill("Ship it on Thursday")
    bob.get("composer").press("Enter")
    expect(ann.message("Thursday")).to_contain_text("edited")
    expect(bob.get("composer")).to_have_value("")

    ann.act("Thursday", "react-👍")
    reaction = bob.message("Thursday").get_by_test_id("reaction")
    expect(reaction).to_have_attribute("aria-pressed", "false")
    reaction.click()
    expect(ann.message("Thursday").get_by_test_id("reaction")).to_contain_text("2")
    reaction.click()
    expect(ann.message("Thursday").get_by_test_id("reaction")).to_contain_text("1")

    ann.act("Thursday", "reply")
    ann.say("Good")
    quote = bob.message("Good").get_by_role("button", name="Ship it on Thursday")
    expect(quote).to_contain_text(bob.name)

    bob.act("edited", "edit")
    expect(bob.get("composer")).to_have_value("Ship it on Thursday")
    bob.get("composer").press("Escape")
    expect(bob.get("composer")).to_have_value("")

    ann.say("Oops")
    expect(bob.message("Oops")).to_be_visible()
    ann.act("Oops", "delete")
    ann.get("confirm").click()
    expect(bob.message("Oops")).to_have_count(0)
    expect(bob.message("This message was deleted.")).to_be_visible()


def test_pinned_messages(ann: Window, bob: Window, room: str) -> None:
    bob.say("The plan is in the wiki")
    bob.say("Chatter")
    expect(ann.message("Chatter")).to_be_visible()
    ann.act("The plan", "pin-message")
    expect(bob.message("The plan").get_by_test_id("pinned")).to_be_visible()
    bob.message("The plan").hover()
    expect(bob.get("reply").first).to_be_visible()
    expect(bob.get("pin-message").first).to_be_hidden()  # only moderators pin
    bob.get("open-pins").click()
    expect(bob.get("pin")).to_have_count(1)
    expect(bob.get("pin")).to_contain_text(f"Pinned by {ann.name}")
    bob.act("The plan", "edit")
    expect(bob.get("composer")).to_have_value("The plan is in the wiki")
    bob.get("composer").fill("The plan is in the handbook")
    bob.get("composer").press("Enter")
    expect(bob.get("pin")).to_contain_text("handbook")
    bob.screenshot("pins-dark")
    ann.act("The plan", "pin-message")
    expect(bob.get("pin")).to_have_count(0)
    expect(bob.message("The plan").get_by_test_id("pinned")).to_have_count(0)


def test_a_text_is_never_markup(ann: Window, bob: Window, room: str) -> None:
    evil = '<img src=x onerror="document.title=1"><script>document.title=2</script> javascript:alert(1)'
    ann.say(f"{evil} https://example.org/a?b=<i> `code` @{bob.name}")
    seen = bob.message("onerror").locator(".text")
    expect(seen).to_contain_text(evil)
    expect(seen.locator("img, script, i")).to_have_count(0)
    link = seen.get_by_role("link")
    expect(link).to_have_attribute("href", "https://example.org/a?b=")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(seen.locator(".mention.me")).to_have_text(f"@{bob.name}")
    expect(seen.locator("code")).to_have_text("code")


def test_direct_messages(ann: Window, bob: Window, room: str) -> None:
    bob.write_to(ann.name)
    bob.say("Do you have a minute?")
    item = ann.get("person-item").filter(has_text=bob.name)
    expect(item.get_by_test_id("unread")).to_contain_text("1")
    expect(ann.page).to_have_title(f"(1) {room} · Rookery")
    expect(item.get_by_test_id("presence-dot")).to_have_attribute("data-state", "online")
    item.click()
    expect(ann.message("Do you have a minute?")).to_be_visible()
    expect(item.get_by_test_id("unread")).to_have_count(0)
    expect(bob.message("Do you have a minute?").locator(".state")).to_have_text("Read")
    ann.say("Sure")
    expect(bob.message("Sure")).to_have_count(1)
    expect(ann.message("Sure")).to_have_attribute("data-seq", "2")
    ann.act("Sure", "edit")
    expect(ann.get("composer")).to_have_value("Sure")
    ann.get("composer").fill("Of course")
    ann.get("send").click()
    expect(bob.message("Of course")).to_be_visible()
    bob.screenshot("direct-dark")


def test_unread_counts_and_the_line(ann: Window, bob: Window, room: str) -> None:
    ann.say("before")
    expect(bob.message("before")).to_be_visible()
    bob.write_to(ann.name)
    for number in range(3):
        ann.say(f"news {number}")
    item = bob.get("room-item").filter(has_text=room)
    expect(item.get_by_test_id("unread")).to_contain_text("3")
    item.click()
    expect(bob.page.locator(".unread-line + .message")).to_contain_text("news 0")
    expect(item.get_by_test_id("unread")).to_have_count(0)
    bob.page.reload()
    expect(bob.message("news 2")).to_be_visible()
    expect(item.get_by_test_id("unread")).to_have_count(0)


def test_a_message_is_marked_as_unread_in_all_windows_of_a_person(
    ann: Window, bob: Window, room: str, new_window: OpenWindow
) -> None:
    for text in ("one", "two", "three"):
        ann.say(text)
        expect(bob.message(text)).to_be_visible()
    desk = new_window(bob.server)
    desk.open()
    desk.log_in(bob.name)
    item = desk.get("room-item").filter(has_text=room)
    expect(item).to_be_visible()
    expect(item.get_by_test_id("unread")).to_have_count(0)
    bob.act("two", "mark-unread")
    expect(bob.page.locator(".unread-line + .message")).to_contain_text("two")
    expect(bob.get("room-item").filter(has_text=room).get_by_test_id("unread")).to_contain_text("2")
    expect(item.get_by_test_id("unread")).to_contain_text("2")
    desk.page.reload()
    expect(item.get_by_test_id("unread")).to_contain_text("2")
    item.click()
    expect(desk.page.locator(".unread-line + .message")).to_contain_text("two")
    expect(item.get_by_test_id("unread")).to_have_count(0)
    expect(bob.get("room-item").filter(has_text=room).get_by_test_id("unread")).to_have_count(0)


def test_presence_goes_with_the_window(ann: Window, bob: Window, room: str) -> None:
    ann.get("open-members").click()
    dot = ann.get("member").filter(has_text=bob.name).get_by_test_id("presence-dot")
    expect(dot).to_have_attribute("data-state", "online")
    bob.page.goto("about:blank")
    expect(dot).to_have_attribute("data-state", "offline")
    bob.page.go_back()
    expect(dot).to_have_attribute("data-state", "online")
