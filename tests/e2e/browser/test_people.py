"""How people are called in the page, and what they decide about others."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.browser import Window, unique

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def rename(window: Window, display_name: str) -> None:
    window.get("account").click()
    form = window.get("display-name-form")
    form.get_by_test_id("display_name").fill(display_name)
    form.get_by_test_id("submit").click()


def test_a_display_name_shows_on_open_pages_at_once(ann: Window, bob: Window) -> None:
    name = unique("names")
    ann.new_room(name)
    bob.join(name)
    ann.say("said before")
    expect(bob.message("said before")).to_contain_text(ann.name)
    bob.get("open-members").click()
    rename(ann, "аdmin")  # Cyrillic
    expect(ann.get("display-name-form").get_by_role("alert").first).to_contain_text("reserved")
    ann.page.keyboard.press("Escape")
    rename(ann, "Zoë Ott")
    expect(ann.get("notice")).to_contain_text("Others see your new display name")
    ann.page.keyboard.press("Escape")
    expect(ann.get("me")).to_have_text("Zoë Ott")
    expect(bob.message("said before")).to_contain_text("Zoë Ott")
    expect(bob.get("member").filter(has_text="Zoë Ott")).to_contain_text(f"@{ann.name}")
    bob.get("member-search").fill("zoe")
    expect(bob.get("member")).to_have_count(1)
    bob.screenshot("display-names")


def test_a_display_name_completes_to_the_name_and_may_be_typed(ann: Window, bob: Window) -> None:
    name = unique("mention")
    ann.new_room(name)
    bob.join(name)
    rename(bob, "Zoë Ott")
    bob.page.keyboard.press("Escape")
    ann.get("open-members").click()
    expect(ann.get("member").filter(has_text="Zoë Ott")).to_be_visible()
    ann.get("composer").press_sequentially("hello @Zo")
    expect(ann.page.get_by_role("option")).to_contain_text("Zoë Ott")
    ann.get("composer").press("Enter")
    expect(ann.get("composer")).to_have_value(f"hello @{bob.name} ")
    ann.get("composer").fill("")
    ann.say("for @Zoë Ott, by hand")
    expect(bob.message("by hand").locator(".mention.me")).to_have_text("@Zoë Ott")
