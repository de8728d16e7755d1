"""Notifications on a screen: which are shown while windows are open, and where a click leads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.support.browser import Window, find_chromium
from tests.support.named_hosts import wait_until
from tests.support.process import ServerProcess
from tests.support.pushes import COUNT_HANDLED
from tests.support.screen import Desktop, open_desktop

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.browser]
TAGS = "registration.getNotifications().then((shown) => shown.map((one) => one.tag).sort())"
CLOSE_ALL = "registration.getNotifications().then((shown) => shown.forEach((one) => one.close()))"
WINDOWS = """clients.matchAll({ type: "window", includeUncontrolled: true }).then((windows) => windows
  .filter((one) => new URL(one.url).pathname === "/")
  .map((one) => `${one.visibilityState} ${one.focused}`))"""

HEARD = "globalThis.heard"
LISTEN = "navigator.serviceWorker.addEventListener('message', ({ data }) => resolve(data.type), { once: true });"


class Scene:
    """A person with two rooms on a desktop; their page shows the second one."""

    def __init__(self, desktop: Desktop, server: ServerProcess, rooms: list[str]) -> None:
        self.desktop = desktop
        self.tools = desktop.tools
        self.server = server
        self.hall, self.attic = rooms
        (self.page,) = self.tools.find_targets("page", server.http)
        session = self.tools.attach(self.page)
        self.tools.evaluate(session, "navigator.serviceWorker.ready.then(() => true)")
        (worker,) = self.tools.find_targets("service_worker", server.http)
        self.worker = self.tools.attach(worker)
        self.tools.evaluate(self.worker, COUNT_HANDLED)
        self.delivered = 0
        # A page that serves DevTools, and stays when the other one is closed.
        self.bench = self.tools.attach(self.tools.call("Target.createTarget", url=f"{server.http}/sw.js")["targetId"])
        self.tools.call("Target.activateTarget", targetId=self.page)
        self.registration = self._find_registration()

    def _find_registration(self) -> str:
        self.tools.call("ServiceWorker.enable", self.bench)
        found: list[str] = []

        def look() -> bool:
            self.tools.call("Target.getTargets")
            for event in self.tools.events:
                if event["method"] == "ServiceWorker.workerRegistrationUpdated":
                    found.extend(each["registrationId"] for each in event["params"]["registrations"])
            return bool(found)

        wait_until(look)
        return found[-1]

    def push(self, room: str, seq: int) -> None:
        content = {
            "type": "show",
            "user": "u",
            "tag": f"room:{room}",
            "seq": seq,
            "url": f"#/room/{room}",
            "title": "a",
        }
        self.tools.call(
            "ServiceWorker.deliverPushMessage",
            self.bench,
            origin=self.server.http,
            registrationId=self.registration,
            data=json.dumps(content),
        )
        self.delivered += 1

    def expect_shown(self, room: str) -> None:
        """This one comes to be shown, and is the only one then."""
        wait_until(lambda: bool(self.tools.evaluate(self.worker, "self.handled") == self.delivered))
        wait_until(lambda: self.list_shown() == [f"room:{room}"])

    def expect_nothing(self) -> None:
        wait_until(lambda: not self.list_shown())

    def list_shown(self) -> list[str]:
        found: list[str] = self.tools.evaluate(self.worker, TAGS)
        return found

    def close_all(self) -> None:
        self.tools.evaluate(self.worker, CLOSE_ALL)
        self.expect_nothing()

    def list_windows(self) -> list[str]:
        """Of each window of the page, whether it is visible, and whether it is in focus."""
        found: list[str] = self.tools.evaluate(self.worker, WINDOWS)
        return found

    def expect_windows(self, *wanted: str) -> None:
        wait_until(lambda: self.list_windows() == [*wanted])

    @contextmanager
    def other(self, **options: Any) -> Iterator[None]:
        """A tab or window that has nothing to do with us is there, and in focus; then the page is in focus again."""
        target = self.tools.call("Target.createTarget", url="about:blank", **options)["targetId"]
        yield
        self.tools.call("Target.closeTarget", targetId=target)
        self.tools.call("Target.activateTarget", targetId=self.page)


@pytest.fixture(scope="module")
def scene(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One for all tests of the module."""
    chromium, missing = find_chromium("--screen")
    if missing:
        pytest.skip(missing)
    rooms: list[str] = []

    def prepare(page: Page) -> None:
        page.context.grant_permissions(["notifications"], origin=server.http)
        window = Window(page, server)
        window.register("cat")
        rooms.extend(window.new_room(name) for name in ("hall", "attic"))
        window.check()

    profile = tmp_path_factory.mktemp("profile")
    with sync_playwright() as playwright, open_desktop(playwright, chromium, profile, prepare) as desktop:
        desktop.tools.call("Browser.grantPermissions", permissions=["notifications"], origin=server.http)
        yield Scene(desktop, server, rooms)


def test_only_the_conversation_that_is_visible_and_in_focus_is_not_notified_of(scene: Scene) -> None:
    scene.expect_windows("visible true")
    scene.push(scene.attic, 1)
    scene.push(scene.hall, 1)  # pushes take turns, so the one before is done when this one is shown
    scene.expect_shown(scene.hall)
    scene.close_all()
    with scene.other():
        scene.expect_windows("hidden false")
        scene.push(scene.attic, 2)
        scene.expect_shown(scene.attic)
        scene.close_all()
    scene.expect_windows("visible true")
    with scene.other(newWindow=True):
        scene.expect_windows("visible false")
        scene.push(scene.attic, 3)
        scene.expect_shown(scene.attic)
        scene.close_all()


def test_a_browser_that_renews_its_subscription_has_the_page_store_it(scene: Scene) -> None:
    """No push service is reached, so the browser never renews by itself: the worker gets the event from the test."""
    page = scene.tools.attach(scene.page)
    scene.tools.evaluate(page, f"{HEARD} = new Promise((resolve) => {{ {LISTEN} }}), true")
    scene.tools.evaluate(scene.worker, "dispatchEvent(new PushSubscriptionChangeEvent('pushsubscriptionchange'))")
    assert scene.tools.evaluate(page, HEARD) == "subscribe"


def test_a_click_leads_to_the_conversation_in_the_open_window_and_else_in_a_new_one(scene: Scene) -> None:
    hall, attic = f"#/room/{scene.hall}", f"#/room/{scene.attic}"
    with scene.other(newWindow=True):
        scene.push(scene.hall, 10)
        scene.expect_shown(scene.hall)
        scene.desktop.click_notification(lambda: scene.list_windows() == ["visible true"])
        scene.expect_nothing()
        wait_until(lambda: scene.tools.find_targets("page", hall) == [scene.page])
    scene.tools.call("Target.closeTarget", targetId=scene.page)
    scene.expect_windows()
    scene.push(scene.attic, 11)
    scene.expect_shown(scene.attic)
    scene.desktop.click_notification(lambda: bool(scene.tools.find_targets("page", attic)))
    scene.expect_nothing()
