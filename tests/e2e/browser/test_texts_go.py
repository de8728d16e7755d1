"""Texts do not outlive their time: the log-in of their reader, or their own deletion."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.browser import Window, talking, unique

pytestmark = [pytest.mark.slow, pytest.mark.browser]

# All that a window holds: its elements with what stands in fields, and what the browser stores for it.
EVERYTHING = """async () => {
  const kept = [document.title, document.documentElement.outerHTML, location.href];
  for (const field of document.querySelectorAll("input, textarea")) kept.push(field.value);
  for (const storage of [localStorage, sessionStorage]) kept.push(JSON.stringify({ ...storage }));
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((done) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => done(opening.result);
    });
    for (const store of database.objectStoreNames) {
      const all = database.transaction(store).objectStore(store).getAll();
      kept.push(JSON.stringify(await new Promise((done) => { all.onsuccess = () => done(all.result); })));
    }
    database.close();
  }
  return kept.join("\\n");
}"""


def everything(window: Window) -> str:
    found: str = window.page.evaluate(EVERYTHING)
    return found


def holds_no(window: Window, text: str) -> None:
    """Nothing of this text is left in the window. What the browser stores goes a moment after what it shows."""
    window.eventually(lambda: text in everything(window), False)


def test_a_log_out_leaves_no_text_to_the_next_user(ann: Window, bob: Window) -> None:
    name = unique("plans")
    ann.new_room(name)
    bob.join(name)
    bob.say("the first secret")
    expect(ann.page.get_by_role("log", name="New messages")).to_contain_text("the first secret")
    room = ann.page.url
    ann.get("open-search").click()
    ann.get("search-page-input").fill("second secret")
    ann.get("search-page-input").press("Enter")
    expect(ann.page).to_have_url(re.compile("second%20secret"))
    ann.page.goto(room)
    ann.get("composer").fill("a third secret, not sent")
    ann.act("the first secret", "report")
    ann.get("report-dialog").get_by_test_id("reason").fill("a fourth secret")
    ann.eventually(lambda: everything(ann).count("secret") >= 4, True)
    # The log-out of another tab ends this one, with its dialog.
    tab = Window(ann.page.context.new_page(), ann.server)
    tab.open()
    tab.get("logout").click()
    expect(ann.get("login-form")).to_be_visible()
    holds_no(ann, "secret")
    holds_no(tab, "secret")
    tab.check()
    ann.get("show-register").click()
    ann._fill("register-form", unique("eve"), "correct horse battery")
    expect(ann.get("me")).to_contain_text("eve")
    holds_no(ann, "secret")
    holds_no(ann, name)


def test_a_withdrawn_text_is_in_no_quotation_and_no_list(
    ann: Window, bob: Window, new_window: Callable[..., Window]
) -> None:
    name = unique("quoted")
    room = ann.new_room(name)
    bob.join(name)
    with talking(ann.server, ann.token()) as talk:
        talk.send(room, ["a secret that is quoted", *[f"line {number}" for number in range(90)]])
    ann.act("line 89", "reply")
    expect(ann.page.locator(".context-text")).to_contain_text("line 89")
    with talking(ann.server, ann.token()) as talk:
        talk.commands(
            [
                {"type": "send", "room": room, "text": "an answer", "client_id": CLIENT, "reply_to": 1},
            ]
        )
    with talking(bob.server, bob.token()) as talk:
        talk.command("read", room=room, seq=92)
    bob.page.reload()
    quote = bob.message("an answer").locator(".quote")
    expect(quote).to_contain_text("a secret that is quoted")
    expect(bob.message("a secret that is quoted")).to_have_count(1)  # the quotation: its message is not loaded
    tab = Window(bob.page.context.new_page(), bob.server)
    tab.open()
    tab.get("open-search").click()
    tab.get("search-page-input").fill("that is quoted")
    tab.get("search-page-input").press("Enter")
    expect(tab.get("search-page-hit")).to_contain_text("a secret that is quoted")
    with talking(ann.server, ann.token()) as talk:
        talk.commands([{"type": "delete", "room": room, "seq": seq} for seq in (1, 91)])
    expect(quote).to_contain_text("a message that was withdrawn")
    expect(tab.get("search-page-hit")).to_have_count(0)
    holds_no(tab, "secret")
    tab.page.close()
    tab.check()
    expect(ann.page.locator(".context-text")).to_contain_text("a message that was withdrawn")
    holds_no(bob, "secret")
    bob.screenshot("withdrawn")
    bob.page.reload()
    expect(bob.message("an answer").locator(".quote")).to_contain_text("a message that was withdrawn")
    holds_no(bob, "secret")


CLIENT = "00000000-0000-4000-8000-0000000000aa"


def test_a_draft_survives_a_reload_and_ends_with_the_log_out(ann: Window) -> None:
    name, other = unique("drafts"), unique("others")
    ann.new_room(name)
    ann.new_room(other)
    expect(ann.page.get_by_role("heading", name=other)).to_be_visible()
    ann.get("composer").fill("of the other room")
    ann.enter(name)
    expect(ann.page.get_by_role("heading", name=name)).to_be_visible()
    ann.get("composer").fill("half a sentence\nand more")
    ann.page.reload()
    expect(ann.get("composer")).to_have_value("half a sentence\nand more")
    ann.enter(other)
    expect(ann.get("composer")).to_have_value("of the other room")
    ann.get("send").click()
    expect(ann.message("of the other room")).to_have_attribute("data-state", "stored")
    ann.page.reload()
    expect(ann.get("composer")).to_have_value("")
    ann.get("logout").click()
    expect(ann.get("login-form")).to_be_visible()
    holds_no(ann, "half a sentence")
    ann.log_in(ann.name)
    ann.enter(name)
    expect(ann.get("composer")).to_have_value("")


def test_an_edit_that_is_not_finished_is_not_lost(ann: Window) -> None:
    ann.new_room(unique("edits"))
    ann.say("a sentense")
    expect(ann.message("a sentense")).to_have_attribute("data-state", "stored")
    ann.act("a sentense", "edit")
    ann.get("composer").fill("a sentence, and much more")
    ann.page.reload()
    expect(ann.message("a sentense")).to_be_visible()
    expect(ann.get("composer")).to_have_value("")
    ann.act("a sentense", "edit")
    expect(ann.get("composer")).to_have_value("a sentence, and much more")
    ann.get("composer").press("Escape")
    ann.act("a sentense", "edit")
    expect(ann.get("composer")).to_have_value("a sentense")
