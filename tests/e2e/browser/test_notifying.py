"""Notifications in Chromium: the offer, the settings, and pushes.

DevTools hands the pushes to the page's service worker: a browser for tests has no push service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import CDPSession, expect

from tests.support.browser import Window, sound
from tests.support.process import ServerProcess
from tests.support.pushes import COUNT_HANDLED

pytestmark = [pytest.mark.slow, pytest.mark.browser]
OpenWindow = Callable[..., Window]
SHOWN = """async () => (await self.registration.getNotifications())
  .map(({ title, body, tag, data }) => ({ title, body, tag, seq: data.seq }))"""


class Pushes:
    """Hands pushes to the service worker of a window."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.devtools: CDPSession = window.page.context.new_cdp_session(window.page)
        self.registration = ""
        self.devtools.on("ServiceWorker.workerRegistrationUpdated", self._note)
        self.devtools.send("ServiceWorker.enable")
        window.page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        window.page.wait_for_function("() => navigator.serviceWorker.controller !== null")
        window.eventually(lambda: bool(self.registration), True)
        window.eventually(lambda: len(window.page.context.service_workers), 1)
        (self.worker,) = window.page.context.service_workers
        self.worker.evaluate(COUNT_HANDLED)
        self.delivered = 0

    def _note(self, update: Any) -> None:
        for each in update["registrations"]:
            self.registration = each["registrationId"]

    def deliver(self, kind: str, tag: str, seq: int, **fields: Any) -> None:
        content = json.dumps({"type": kind, "user": "u", "tag": tag, "seq": seq, **fields}).ljust(500)
        self.devtools.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": self.window.server.http, "registrationId": self.registration, "data": content},
        )
        self.delivered += 1

    def expect(self, *wanted: tuple[str, int]) -> list[dict[str, Any]]:
        """The notifications that are shown, which come to be these: tag and seq."""
        self.window.eventually(lambda: self.worker.evaluate("self.handled"), self.delivered)
        found: list[dict[str, Any]] = []

        def look() -> list[tuple[str, int]]:
            found[:] = self.worker.evaluate(SHOWN)
            return sorted((one["tag"], one["seq"]) for one in found)

        self.window.eventually(look, sorted(wanted))
        return found

    def click(self, tag: str) -> None:
        """Click a notification: the event that Chromium gives, of the notification that is shown."""
        self.worker.evaluate(
            """async (tag) => {
              const [notification] = await self.registration.getNotifications({ tag });
              self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
            }""",
            tag,
        )


@pytest.fixture
def cat(new_window: OpenWindow, server: ServerProcess) -> Window:
    """A person who has allowed notifications."""
    window = new_window(server, permissions=["notifications"])
    window.register("cat")
    return window


def test_a_push_is_shown_and_replaced_and_a_click_opens_the_conversation(cat: Window) -> None:
    room, other = cat.new_room("hall of cat"), cat.new_room("attic of cat")
    pushes = Pushes(cat)
    where = {"url": f"#/room/{room}", "title": "hall of cat"}
    pushes.deliver("show", f"room:{room}", 3, body="Ben: hello", **where)
    (shown,) = pushes.expect((f"room:{room}", 3))
    assert (shown["title"], shown["body"]) == ("hall of cat", "Ben: hello")
    pushes.deliver("show", f"room:{room}", 5, body="Ben: hello again\nand 1 more message", count=2, **where)
    pushes.deliver("show", "room:third", 1, url="#/room/third", title="third")
    pushes.expect((f"room:{room}", 5), ("room:third", 1))
    assert other in cat.page.url
    pushes.click(f"room:{room}")
    expect(cat.page.get_by_role("heading", name="hall of cat", exact=True)).to_be_visible()
    expect(cat.page).to_have_url(re.compile(room))
    pushes.expect(("room:third", 1))
    cat.screenshot("notification-opened")


def test_what_was_read_elsewhere_is_closed(cat: Window) -> None:
    pushes = Pushes(cat)
    for seq in (1, 2):
        pushes.deliver("show", f"room:{seq}", seq, url=f"#/room/{seq}", title="a room")
    pushes.expect(("room:1", 1), ("room:2", 2))
    pushes.deliver("close", "room:1", 0)
    pushes.deliver("close", "room:2", 2)
    pushes.expect(("room:1", 1))


def test_a_log_out_leaves_no_notification(cat: Window) -> None:
    pushes = Pushes(cat)
    pushes.deliver("show", "room:1", 1, url="#/room/1", title="a room")
    pushes.expect(("room:1", 1))
    cat.get("logout").click()
    pushes.expect()


def test_notifications_are_offered_after_the_first_message_to_the_user(
    ann: Window, bob: Window, new_window: OpenWindow, server: ServerProcess
) -> None:
    expect(ann.get("push-offer")).to_be_hidden()
    bob.write_to(ann.name)
    bob.say("hello ann")
    # Headless Chromium answers for the user unless it was told: then nothing is asked, and nothing is offered.
    if ann.page.evaluate("Notification.permission") != "default":
        pytest.skip("this Chromium has decided by itself")
    expect(ann.get("push-offer")).to_be_visible()
    ann.screenshot("push-offer")
    sound(ann)
    ann.get("push-dismiss").click()
    expect(ann.get("push-offer")).to_be_hidden()
    bob.say("are you there")
    ann.enter(bob.name)
    expect(ann.message("are you there")).to_be_visible()
    expect(ann.get("push-offer")).to_be_hidden()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_offer_leaves_room_for_an_answer(ann: Window, bob: Window, width: int) -> None:
    ann.page.set_viewport_size({"width": width, "height": 800})
    bob.write_to(ann.name)
    bob.say("hello ann")
    if ann.page.evaluate("Notification.permission") != "default":
        pytest.skip("this Chromium has decided by itself")
    expect(ann.get("push-offer")).to_be_visible()
    ann.enter(bob.name)
    ann.get("composer").fill("hello bob")
    ann.get("send").click()
    expect(bob.message("hello bob")).to_be_visible()
    expect(ann.get("push-offer")).to_be_visible()


def test_the_settings_are_kept(ann: Window) -> None:
    ann.get("settings").click()
    ann.get("settings-notifications").click()
    form = ann.get("notifications-form")
    form.get_by_test_id("default_level").get_by_text("Mentions and replies", exact=True).click()
    form.get_by_test_id("language").select_option("ru")
    form.get_by_test_id("hide_texts").check()
    form.get_by_test_id("email").uncheck()
    here = ann.page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    expect(form.get_by_test_id("time_zone")).to_have_value(here)
    form.get_by_test_id("time_zone").select_option("Asia/Tokyo")
    form.get_by_test_id("quiet").check()
    form.get_by_test_id("quiet_begin").fill("23:30")
    ann.screenshot("notification-settings")
    sound(ann)
    expect(form.get_by_test_id("settings-saving")).to_have_attribute("data-state", "saved")
    ann.page.reload()
    expect(form.get_by_test_id("default_level")).to_have_attribute("data-value", "mentions")
    expect(form.get_by_test_id("language")).to_have_value("ru")
    expect(form.get_by_test_id("time_zone")).to_have_value("Asia/Tokyo")
    expect(form.get_by_test_id("hide_texts")).to_be_checked()
    expect(form.get_by_test_id("email")).not_to_be_checked()
    expect(form.get_by_test_id("quiet_begin")).to_have_value("23:30")


def test_a_room_is_muted_in_its_menu(bob: Window) -> None:
    bob.new_room("loud room")
    bob.get("open-about").click()
    bob.get("room-notifications").click()
    form = bob.get("room-notifications-form")
    form.get_by_test_id("level").select_option("nothing")
    form.get_by_test_id("mute").select_option("hours")
    bob.screenshot("room-notifications")
    form.get_by_test_id("submit").click()
    expect(bob.get("room-notifications-dialog")).to_have_count(0)
    bob.get("room-notifications").click()
    expect(form.get_by_test_id("level")).to_have_value("nothing")
    expect(form.get_by_test_id("mute")).to_have_value("keep")
