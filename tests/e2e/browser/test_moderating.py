"""Moderation in the page: reports, the review queue, appeals, blocks, and what a room's owner sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.browser import PASSWORD, PHONE, Window, sound, talking, unique
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]

KEEPER = "keeper"
RULES = """
[[rule]]
name = "bad"
kind = "words"
verdict = "remove"
reason = "no such words"
words = ["badword"]
"""


@pytest.fixture(autouse=True)  # before the windows, so that it ends after them
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """One that is moderated, by a rule and a person; with a queue of its own for each test."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "rules.toml").write_text(RULES)
    settings = {"moderation": "on", "moderation_rules": str(rules), "moderators": KEEPER}
    with ServerProcess("browser-moderating", tmp_path / "data", rate_limits="off", **settings) as process:
        account = {"name": KEEPER, "password": PASSWORD}
        httpx.post(f"{process.http}/api/auth/register", json=account).raise_for_status()
        yield process
        process.check()


def moderate(window: Window) -> None:
    """Log in as the moderator, and open the queue."""
    window.open()
    window.log_in(KEEPER)
    window.get("open-moderation").click()


def report(window: Window, text: str, reason: str) -> None:
    window.act(text, "report")
    window.get("reason").fill(reason)
    window.get("report-form").get_by_test_id("submit").click()
    expect(window.get("notice").last).to_contain_text("reported")


def test_from_a_report_to_an_appeal(ann: Window, bob: Window, new_window: Callable[..., Window]) -> None:
    name = unique("garden")
    ann.new_room(name)
    bob.join(name)
    bob.say("You are a fool")
    expect(ann.message("You are a fool")).to_have_attribute("data-state", "stored")
    ann.act("You are a fool", "report")
    ann.screenshot("report")
    expect(ann.get("reason")).to_be_focused()
    ann.get("report-form").get_by_test_id("submit").click()
    expect(ann.get("report-form")).to_contain_text("This is needed.")
    ann.escape()
    expect(ann.get("report-form")).to_have_count(0)
    report(ann, "You are a fool", "This is an insult.")
    expect(ann.get("open-moderation")).to_have_count(0)

    keeper = new_window(ann.server)
    moderate(keeper)
    case = keeper.get("case").filter(has_text="You are a fool")
    expect(case).to_contain_text(f"in {name}")
    expect(case).to_contain_text(f"Reported by {ann.name}: This is an insult.")
    keeper.screenshot("moderation-queue")
    case.get_by_test_id("decide-remove").click()
    keeper.get("reason").fill("Be kind")
    keeper.get("decision-form").get_by_test_id("submit").click()
    expect(case).to_have_count(0)
    expect(keeper.get("moderation-note")).to_have_text("Nothing waits for a decision.")
    for window in (ann, bob):
        expect(window.message("This message was removed by moderation: Be kind.")).to_be_visible()

    bob.page.get_by_role("button", name="Ask for a review").click()
    bob.get("text").fill("It was a quotation.")
    bob.get("appeal-form").get_by_test_id("submit").click()
    expect(bob.get("notice").last).to_contain_text("look at your message again")
    bob.screenshot("withdrawn")
    sound(bob)
    expect(keeper.get("open-cases")).to_have_text("1 waiting", use_inner_text=True)  # by itself
    expect(case).to_contain_text(f"Appeal of {bob.name}: It was a quotation.")
    case.get_by_test_id("decide-allow").click()
    for window in (ann, bob):
        expect(window.message("You are a fool")).to_be_visible()
    keeper.get("moderation-decided").click()
    expect(case.get_by_test_id("outcome")).to_contain_text(f"Allowed by {KEEPER}")
    keeper.screenshot("moderation-decided")
    keeper.get("moderation-audit").click()
    expect(keeper.get("audit-entry").filter(has_text=f"{ann.name} reported a message of {bob.name}")).to_be_visible()
    keeper.screenshot("moderation-audit")


def test_a_block_on_a_phone_by_the_keyboard(ann: Window, bob: Window, new_window: Callable[..., Window]) -> None:
    bob.write_to(ann.name)
    bob.say("I will find you")
    ann.enter(bob.name)
    expect(ann.message("I will find you")).to_have_attribute("data-state", "stored")
    report(ann, "I will find you", "A threat")

    keeper = new_window(ann.server, viewport=PHONE, color_scheme="dark")
    moderate(keeper)
    case = keeper.get("case").filter(has_text="I will find you")
    expect(case).to_contain_text(f"to {ann.name}, directly")
    keeper.screenshot("moderation-phone")
    sound(keeper)
    case.get_by_test_id("decide-block").press("Enter")
    expect(keeper.page.locator('[role="dialog"]:focus-within')).to_be_visible()
    keeper.get("block-length").press("Enter")
    expect(keeper.page.locator('[role="listbox"]:focus-within')).to_be_visible()
    keeper.page.get_by_role("option", name="One week").press("Enter")
    expect(keeper.get("block-length")).to_be_focused()
    keeper.get("reason").fill("Threats")
    keeper.screenshot("moderation-block-phone")
    sound(keeper)
    keeper.get("reason").press("Tab")
    expect(keeper.get("decision-form").get_by_test_id("submit")).to_be_focused()
    keeper.page.keyboard.press("Enter")
    expect(case).to_have_count(0)
    expect(keeper.get("moderation-open")).to_be_focused()
    expect(bob.page.locator(".auth-reason")).to_contain_text("This account is blocked")
    bob.log_in(bob.name)
    told = bob.page.locator(".form-error:visible")
    expect(told).to_contain_text("The reason: Threats.")
    expect(told).to_contain_text("until")
    bob.screenshot("moderation-blocked")
    bob.get("appeal-block").click()
    bob.get("block-appeal-dialog").get_by_test_id("text").fill("I meant the cake")
    bob.get("block-appeal-form").get_by_test_id("submit").click()
    expect(bob.get("notice")).to_contain_text("A moderator will look at the block.")
    keeper.get("moderation-blocks").press("Enter")
    expect(keeper.get("moderation-blocks")).to_be_focused()
    block = keeper.get("block").filter(has_text=bob.name)
    expect(block).to_contain_text("Threats")
    keeper.screenshot("moderation-blocks-phone")
    sound(keeper)
    block.get_by_test_id("unblock").press("Enter")
    expect(block).to_have_count(0)
    expect(keeper.get("moderation-note")).to_have_text("Nobody is blocked.")


def test_a_report_on_a_phone(ann: Window, new_window: Callable[..., Window]) -> None:
    phone = new_window(ann.server, viewport=PHONE, is_mobile=True, has_touch=True)
    phone.register("phone")
    name = unique("pocket")
    ann.new_room(name)
    ann.say("buy cheap watches")
    phone.join(name)
    phone.message("buy cheap watches").tap()
    expect(phone.get("report")).to_be_in_viewport(ratio=1)
    sound(phone)
    phone.screenshot("report-phone")
    phone.get("report").tap()
    phone.get("reason").fill("An advertisement")
    sound(phone)
    phone.get("report-form").get_by_test_id("submit").tap()
    expect(phone.get("notice")).to_contain_text("reported")


def test_a_room_in_which_messages_are_held(ann: Window, bob: Window) -> None:
    name = unique("strict")
    ann.new_room(name)
    ann.get("open-members").click()
    ann.get("room-settings").click()
    ann.get("strictness-strict").check()
    ann.get("held").check()
    ann.screenshot("strictness")
    sound(ann)
    ann.get("strictness-form").get_by_test_id("submit").click()
    expect(ann.get("notice").last).to_contain_text("was changed")
    ann.page.reload()
    expect(ann.get("strictness-strict")).to_be_checked()
    expect(ann.get("held")).to_be_checked()
    ann.page.keyboard.press("Escape")
    bob.join(name)
    bob.get("open-members").click()
    expect(bob.get("room-about")).to_be_visible()
    expect(bob.get("room-settings")).to_have_count(0)
    bob.page.keyboard.press("Escape")
    bob.say("what a badword")
    refused = bob.message("what a badword")
    expect(refused).to_have_attribute("data-state", "refused")
    expect(refused).to_contain_text("Reason: no such words.")
    bob.say("what a pity")
    expect(bob.message("what a pity")).to_have_attribute("data-state", "stored")
    bob.expect_texts("what a badword", "what a pity")
    expect(ann.message("what a pity")).to_be_visible()
    bob.screenshot("refused")
    expect(ann.message("what a badword")).to_have_count(0)
    refused.get_by_role("button", name="Discard").click()
    expect(refused).to_have_count(0)


def test_a_long_queue(ann: Window, new_window: Callable[..., Window]) -> None:
    name = unique("busy")
    room = ann.new_room(name)
    keeper = new_window(ann.server)
    moderate(keeper)
    expect(keeper.get("moderation-note")).to_have_text("Nothing waits for a decision.")
    keeper.join(name)
    keeper.say("I am a moderator")
    expect(ann.message("I am a moderator")).to_be_visible()
    with talking(ann.server, keeper.token()) as talk:
        talk.send(room, [f"spam {number}" for number in range(2, 24)])
    expect(ann.message("spam 23")).to_be_visible()
    headers = {"Authorization": f"Bearer {ann.token()}"}
    for seq in range(1, 24):
        body = {"room": room, "seq": seq, "reason": "x"}
        httpx.post(f"{ann.server.http}/api/moderation/reports", json=body, headers=headers).raise_for_status()

    keeper.get("open-moderation").click()
    expect(keeper.get("case")).to_have_count(20)
    keeper.get("moderation-more").click()
    expect(keeper.get("case")).to_have_count(23)
    expect(keeper.get("moderation-more")).to_be_hidden()
    first, second = keeper.get("case").filter(has_text="I am a moderator"), keeper.get("case").filter(has_text="spam 2")
    first.get_by_test_id("decide-block").click()
    keeper.get("decision-form").get_by_test_id("submit").click()
    expect(keeper.get("decision-form")).to_contain_text("A moderator of the instance cannot be blocked")
    keeper.escape()
    expect(keeper.get("decision-form")).to_have_count(0)
    first.get_by_test_id("decide-allow").click()
    expect(keeper.get("case")).to_have_count(22)
    expect(second.first).to_be_focused()


def test_the_page_is_for_moderators_alone(ann: Window) -> None:
    ann.open("/#/moderation/audit")
    expect(ann.page.get_by_role("heading", name=f"Hello, {ann.name}")).to_be_visible()
    expect(ann.get("moderation-list")).to_have_count(0)
