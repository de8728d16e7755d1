"""How people are called in the page, and what they decide about others."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.browser import Window, unique

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def rename(window: Window, display_name: str) -> None:
    window.get("settings").click()
    form = window.get("profile-form")
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
    expect(ann.get("profile-form").get_by_role("alert").first).to_contain_text("reserved")
    rename(ann, "Zoë Ott")
    expect(ann.get("notice")).to_contain_text("Saved.")
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
    rename(bob, "Yöna Lee")
    expect(bob.get("me")).to_have_text("Yöna Lee")
    bob.enter(name)
    ann.get("open-members").click()
    expect(ann.get("member").filter(has_text="Yöna Lee")).to_be_visible()
    ann.get("composer").press_sequentially("hello @Yö")
    expect(ann.page.get_by_role("option")).to_contain_text(["Yöna Lee"])
    ann.get("composer").press("Enter")
    expect(ann.get("composer")).to_have_value(f"hello @{bob.name} ")
    ann.get("composer").fill("")
    ann.say("for @Yöna Lee, by hand")
    expect(bob.message("by hand").locator(".mention.me")).to_have_text("@Yöna Lee")


def test_a_person_is_blocked_from_their_card_and_unblocked_in_the_account(ann: Window, bob: Window) -> None:
    ann.write_to(bob.name)
    ann.say("hello")
    bob.write_to(ann.name)
    expect(bob.get("presence-dot").and_(bob.page.locator(".conv-head *")).first).to_have_attribute(
        "data-state", "online"
    )
    ann.get("open-person").click()
    expect(ann.get("person-dialog").get_by_role("heading")).to_have_text(bob.name)
    ann.get("block-user").click()
    ann.get("confirm").click()
    expect(ann.get("block-user")).to_have_text("Unblock")
    ann.screenshot("person-card")
    ann.escape()
    expect(bob.get("presence-dot").and_(bob.page.locator(".conv-head *")).first).to_have_attribute(
        "data-state", "offline"
    )
    bob.get("composer").fill("are you there?")
    bob.get("composer").press("Enter")
    expect(bob.message("are you there?")).to_contain_text("takes no messages from you")
    ann.get("settings").click()
    ann.get("settings-privacy").click()
    expect(ann.get("blocked-user")).to_contain_text(bob.name)
    ann.get("unblock").press("Enter")
    expect(ann.get("blocked-user")).to_have_count(0)
    expect(bob.get("presence-dot").and_(bob.page.locator(".conv-head *")).first).to_have_attribute(
        "data-state", "online"
    )


def test_a_person_decides_who_may_add_them(ann: Window, bob: Window) -> None:
    ann.new_room(unique("closed"))
    bob.get("settings").click()
    bob.get("settings-privacy").click()
    expect(bob.get("added-by")).to_have_attribute("data-value", "everyone")
    bob.get("added-by").get_by_text("Nobody").click()
    expect(bob.get("added-by")).to_have_attribute("data-value", "nobody")
    expect(bob.page.get_by_text("Saved.")).to_be_visible()
    bob.screenshot("privacy")
    ann.get("open-members").click()
    ann.page.get_by_role("button", name="Add people").click()
    ann.get("people-search").fill(bob.name)
    expect(ann.get("people-results")).to_have_attribute("aria-busy", "false")
    ann.get("people-results").get_by_text(bob.name).click()
    expect(ann.get("notice")).to_contain_text("lets nobody add them")


def test_invitations_are_made_with_limits_listed_and_ended(ann: Window, bob: Window) -> None:
    name = unique("invited")
    ann.new_room(name, private=True)
    ann.get("open-members").click()
    ann.get("room-invitations").click()
    expect(ann.page.get_by_text("No invitation is open.")).to_be_visible()
    form = ann.get("invitation-form")
    for field, choice in (("role", "Reader"), ("expires_in", "an hour"), ("uses", "one person")):
        form.get_by_test_id(field).click()
        ann.page.get_by_role("option", name=choice, exact=True).click()
    form.get_by_test_id("submit").press("Enter")
    expect(ann.get("invitation")).to_contain_text(["0 of 1 used"])
    link = ann.get("new-invitation-link").input_value()
    form.get_by_test_id("uses").click()
    ann.page.get_by_role("option", name="any number of people").click()
    expect(form.get_by_test_id("submit")).to_be_enabled()
    form.get_by_test_id("submit").press("Enter")
    expect(ann.get("invitation")).to_have_count(2)
    ann.screenshot("invitations")
    bob.open("/" + link.partition("/#")[2].join(["#", ""]))
    expect(bob.page.get_by_role("heading", name=name)).to_be_visible()
    ann.get("invitation").filter(has_not_text="of 1 used").get_by_test_id("end-invitation").press("Enter")
    expect(ann.get("invitation")).to_have_count(0)


def test_the_default_role_of_a_room_is_chosen_and_shows_live(ann: Window, bob: Window) -> None:
    name = unique("news")
    ann.new_room(name)
    bob.join(name)
    ann.get("open-members").click()
    ann.get("room-settings").click()
    ann.get("default-role-reader").check()
    expect(ann.get("room-settings-form").get_by_test_id("submit")).to_be_enabled()
    ann.get("room-settings-form").get_by_test_id("submit").press("Enter")
    for window in (ann, bob):
        expect(window.page.locator(".conv-about")).to_contain_text("Public room for announcements")
