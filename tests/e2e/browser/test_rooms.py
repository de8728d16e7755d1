"""Rooms in the page: history, search, invitations, roles, and leaving."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.support.browser import Window, talking, unique
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One on which one may say much at once."""
    data = tmp_path_factory.mktemp("data")
    with ServerProcess("browser-rooms", data, rate_limits="off") as process:
        yield process
        process.check()


def test_history_loads_as_one_scrolls_up(ann: Window) -> None:
    room = ann.new_room(unique("long"))
    lines = [f"line {number}" for number in range(1, 401)]
    with talking(ann.server, ann.token()) as talk:
        talk.send(room, lines)
    ann.page.reload()
    expect(ann.message("line 400")).to_be_in_viewport()
    ann.rest()
    seen: set[str] = set()
    for _ in range(100):
        texts = ann.page.locator(".message .text").all_text_contents()
        # A window of the history, without a hole; what is far away has no elements.
        assert texts == lines[lines.index(texts[0]) : lines.index(texts[0]) + len(texts)]
        assert len(texts) < 170
        seen.update(texts)
        if "line 1" in seen:
            break
        first = ann.page.locator(".message").first
        seq = first.get_attribute("data-seq")
        ann.page.locator(".messages").evaluate("(scroller) => scroller.scrollBy(0, -300)")
        expect(first).not_to_have_attribute("data-seq", str(seq))
    assert seen == set(lines)
    ann.page.locator(".messages").evaluate("(scroller) => { scroller.scrollTop = 0; }")
    expect(ann.page.locator(".beginning")).to_be_in_viewport()
    expect(ann.get("load-more")).to_be_hidden()
    expect(ann.message("line 400")).not_to_be_attached()
    ann.get("jump").click()
    expect(ann.message("line 400")).to_be_in_viewport()


def test_what_one_reads_stays_in_place(ann: Window, bob: Window) -> None:
    name = unique("steady")
    room = ann.new_room(name)
    with talking(ann.server, ann.token()) as talk:
        talk.send(room, [f"line {number}\nsecond line" for number in range(1, 101)])
    expect(ann.message("line 100")).to_be_in_viewport()
    bob.join(name)
    ann.message("line 90").scroll_into_view_if_needed()
    ann.page.locator(".messages").hover()
    ann.page.mouse.wheel(0, -600)
    expect(ann.get("jump")).to_be_visible()
    where = "() => document.querySelector('[data-seq=\"80\"]').getBoundingClientRect().top"
    ann.message("line 80").scroll_into_view_if_needed()
    ann.rest()
    before = ann.page.evaluate(where)
    bob.say("something new")
    expect(ann.get("jump")).to_contain_text("1 new")
    bob.act("line 100", "react-👍")
    expect(bob.message("line 100").get_by_test_id("reaction")).to_be_attached()
    bob.say("something after the reaction")
    expect(ann.get("jump")).to_contain_text("2 new")
    assert abs(ann.page.evaluate(where) - before) < 2
    ann.get("jump").click()
    expect(ann.message("line 100").get_by_test_id("reaction")).to_be_visible()


# To the end of what is loaded; whether the newest message is there.
SCROLL_DOWN = """(scroller) => {
  scroller.scrollTop = scroller.scrollHeight;
  return scroller.querySelector('[data-seq="150"]') !== null;
}"""


def test_search_opens_the_place(ann: Window) -> None:
    room = ann.new_room(unique("haystack"))
    words = [f"straw {number}" for number in range(1, 151)]
    words[19] = "a Needle in it"
    with talking(ann.server, ann.token()) as talk:
        talk.send(room, words)
    ann.page.reload()
    ann.get("open-search").click()
    ann.get("search-page-input").fill("needle")
    ann.get("search-page-input").press("Enter")
    hit = ann.get("search-page-hit")
    expect(hit.locator("mark")).to_have_text("Needle")
    ann.screenshot("search")
    hit.click()
    expect(ann.message("a Needle in it")).to_be_in_viewport()
    expect(ann.page).to_have_url(re.compile(r"/room/[0-9a-f-]+/20$"))
    ann.eventually(lambda: ann.page.locator(".messages").evaluate(SCROLL_DOWN), True)
    expect(ann.message("a Needle in it")).not_to_be_in_viewport()
    ann.page.go_back()
    hit.click()
    expect(ann.message("a Needle in it")).to_be_in_viewport()
    ann.say("and back at the end")
    expect(ann.message("and back at the end")).to_be_in_viewport()
    expect(ann.message("straw 150")).to_be_in_viewport()
    expect(ann.message("a Needle in it")).to_have_count(0)


def test_an_invitation(ann: Window, new_window: Callable[..., Window]) -> None:
    name = unique("secret")
    ann.new_room(name, private=True)
    ann.get("open-members").click()
    ann.get("invite").click()
    expect(ann.get("invite-link")).to_have_value(re.compile("#invite="))
    link = ann.get("invite-link").input_value()
    guest = new_window(ann.server)
    guest.register("guest", "/" + link.rpartition("/")[2])
    expect(guest.page.get_by_role("heading", name=name)).to_be_visible()
    expect(guest.page).not_to_have_url(re.compile("invite"))
    guest.say("Thank you for the invitation")
    ann.escape()
    expect(ann.message("Thank you for the invitation")).to_be_visible()
    guest.open("/#invite=unknown")
    expect(guest.get("notice").last).to_contain_text("invitation")


def test_roles_and_being_removed(ann: Window, bob: Window) -> None:
    name = unique("order")
    ann.new_room(name)
    bob.join(name)
    bob.say("a rude word")
    expect(ann.message("a rude word")).to_be_visible()
    ann.act("a rude word", "delete")
    ann.get("confirm").click()
    expect(bob.message("This message was deleted.")).to_be_visible()

    ann.get("open-members").click()
    line = ann.get("member").filter(has_text=bob.name)
    line.get_by_test_id("manage").click()
    ann.get("restrict").click()
    expect(line).to_contain_text("Reader")
    expect(bob.page.get_by_text("You can read here, but not write.")).to_be_visible()
    line.get_by_test_id("manage").click()
    ann.get("change-role").click()
    ann.get("role-moderator").check()
    ann.get("apply-role").click()
    expect(line).to_contain_text("Moderator")
    expect(bob.get("composer")).to_be_visible()
    bob.get("open-members").click()
    expect(bob.get("invite")).to_be_visible()
    ann.screenshot("members")

    line.get_by_test_id("manage").click()
    ann.get("ban").click()
    ann.get("confirm").click()
    expect(bob.get("notice")).to_contain_text(name)
    expect(bob.get("room-item").filter(has_text=name)).to_have_count(0)
    expect(bob.get("composer")).to_have_count(0)
    expect(line).to_have_count(0)
    bob.get("browse-rooms").click()
    bob.page.get_by_role("button", name=f"Join {name}").click()
    expect(bob.get("notice").last).to_contain_text("banned")


def test_leaving(ann: Window, bob: Window) -> None:
    name = unique("leaving")
    ann.new_room(name)
    bob.join(name)
    bob.get("open-members").click()
    expect(bob.get("member")).to_have_count(2)
    bob.get("room-about").click()
    bob.get("leave-room").click()
    bob.get("confirm").click()
    expect(bob.get("room-item").filter(has_text=name)).to_have_count(0)
    ann.get("open-members").click()
    expect(ann.get("member")).to_have_count(1)
    ann.get("room-about").click()
    ann.get("leave-room").click()
    ann.get("confirm").click()
    expect(ann.get("notice")).to_contain_text("owner")


def test_a_room_that_somebody_renames_and_deletes(ann: Window, bob: Window) -> None:
    name, better = unique("typo"), unique("better")
    ann.new_room(name)
    bob.join(name)
    ann.get("open-members").click()
    ann.get("room-settings").click()
    form = ann.get("room-settings-form")
    form.get_by_role("textbox", name="Name").fill(better)
    form.get_by_test_id("submit").click()
    expect(bob.page.get_by_role("heading", name=better)).to_be_visible()
    expect(bob.get("room-item").filter(has_text=better)).to_be_visible()
    expect(bob.get("composer")).to_have_attribute("placeholder", f"Message {better}")
    expect(bob.page).to_have_title(f"{better} · Rookery")

    bob.get("composer").fill("a long thought\nthat is not sent yet")
    ann.page.get_by_role("button", name="Delete room").click()
    ann.get("confirm").click()
    expect(bob.get("unsent-text")).to_have_value("a long thought\nthat is not sent yet")
    expect(bob.get("unsent-dialog")).to_contain_text(f"{better} was deleted.")
    bob.screenshot("deleted-room")
    bob.page.keyboard.press("Escape")
    expect(bob.get("composer")).to_have_count(0)
    expect(bob.get("room-item").filter(has_text=better)).to_have_count(0)


def test_a_link_to_a_public_room_offers_to_join_it(ann: Window, bob: Window) -> None:
    name, secret = unique("open"), unique("closed")
    room = ann.new_room(name)
    ann.say("welcome")
    hidden = ann.new_room(secret, private=True)
    bob.open(f"/#/room/{room}")
    expect(bob.page.get_by_role("heading", name=name)).to_be_visible()
    expect(bob.get("composer")).to_have_count(0)
    bob.screenshot("join-offer")
    bob.get("join-offer").click()
    expect(bob.message("welcome")).to_be_visible()
    expect(bob.get("composer")).to_be_visible()
    bob.page.evaluate(f"location.hash = '#/room/{hidden}'")
    expect(bob.get("notice").last).to_contain_text("does not exist, or you are not in it")
    expect(bob.page.locator("body")).not_to_contain_text(secret)
    assert secret not in bob.page.content()


def test_what_a_line_says_leaves_room_for_its_button(ann: Window, bob: Window) -> None:
    """A line of a dialog that is too long wraps, and pushes nothing out of the dialog."""
    headers = {"Authorization": f"Bearer {ann.token()}"}
    long = {"display_name": "Wilhelmina-Friederike von und zu Hohenlohe-Schillingsfürst"}
    assert ann.page.request.patch(f"{ann.server.http}/api/auth/me", data=long, headers=headers).ok
    name = unique("a room with a rather long name for a line of a dialog")
    ann.new_room(name)
    bob.get("browse-rooms").click()
    bob.get("room-search").fill(name)
    button = bob.page.get_by_role("button", name=f"Join {name}")
    expect(button).to_be_in_viewport(ratio=1)
    about = bob.get("public-rooms").get_by_test_id("room-about").first
    expect(about).to_contain_text(f"@{ann.name}")
    expect(about).to_be_in_viewport(ratio=1)


def test_all_public_rooms_are_found(ann: Window, bob: Window) -> None:
    headers = {"Authorization": f"Bearer {ann.token()}"}
    group = unique("zz")
    for number in range(60):
        body = {"name": f"{group} {number:02}", "visibility": "public"}
        assert ann.page.request.post(f"{ann.server.http}/api/rooms", data=body, headers=headers).ok
    bob.get("browse-rooms").click()
    rooms = bob.get("public-rooms").get_by_role("listitem")
    expect(rooms).to_have_count(50)
    bob.get("room-search").fill(f"{group} 5")
    expect(rooms).to_have_count(10)
    bob.get("room-search").fill(f"5 {group}")  # its words, in any order
    expect(rooms).to_have_count(10)
    bob.get("room-search").fill(group.upper())
    expect(rooms).to_have_count(50)
    bob.get("more-rooms").click()
    expect(rooms).to_have_count(60)
    expect(bob.get("more-rooms")).to_be_hidden()
    bob.screenshot("browse")
    bob.page.get_by_role("button", name=f"Join {group} 59").click()
    expect(bob.page.get_by_role("heading", name=f"{group} 59")).to_be_visible()
    bob.get("browse-rooms").click()
    bob.get("room-search").fill("there is no room with this name")
    expect(rooms).to_have_count(0)
    expect(bob.page.get_by_text("No public room has such a name.")).to_be_visible()


def test_what_one_does_with_a_room_stands_above_its_members(ann: Window, bob: Window) -> None:
    name = unique("above")
    ann.new_room(name)
    bob.join(name)
    ann.get("open-members").click()
    expect(ann.get("member")).to_have_count(2)
    parts = ann.page.get_by_test_id(re.compile("^(invite|member-search|member-list)$"))
    expect(parts).to_have_count(3)
    tops = (
        "all => all.map((one) => one.getBoundingClientRect().top).every((top, at, tops) => !at || tops[at - 1] < top)"
    )
    names = "all => all.map((one) => one.dataset.testid)"
    ann.eventually(lambda: parts.evaluate_all(names), ["invite", "member-search", "member-list"])
    ann.eventually(lambda: parts.evaluate_all(tops), True)
    ann.get("member-search").fill(bob.name.upper())
    expect(ann.get("member")).to_have_count(1)
    expect(ann.get("member")).to_contain_text(bob.name)
    ann.get("member-search").fill("nobody")
    expect(ann.get("member")).to_have_count(0)
    ann.screenshot("members-search")
    expect(ann.page).to_have_url(re.compile("/members$"))
    address = ann.page.url
    ann.get("room-pins").click()
    expect(ann.page).to_have_url(address.replace("/members", "/pins"))
    ann.page.go_back()
    expect(ann.get("room-pins")).to_have_count(0)
    expect(ann.page).to_have_url(address.removesuffix("/members"))
    bob.page.goto(address)
    expect(bob.get("member").filter(has_text=ann.name)).to_be_visible()
    bob.page.go_back()
    expect(bob.get("member")).to_have_count(0)
    expect(bob.get("composer")).to_be_visible()
