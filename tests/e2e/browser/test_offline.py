"""The page opens without a connection, once it was open with one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import Window, unique
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]
# How many files of the page are kept, and how many it has.
KEPT = """async () => {
  const keys = await caches.keys();
  const kept = await Promise.all(keys.map(async (name) => (await caches.open(name)).keys()));
  const { files } = await (await fetch("assets.json")).json();
  const paths = kept.flat().map(({ url }) => url);
  return [files.filter((name) => paths.some((path) => path.endsWith(name))).length, files.length];
}"""


def all_parts_are_kept(window: Window) -> None:
    """Wait until the service worker has every part of the page, and answers for the server."""
    window.page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    window.page.reload()  # what loads from here on, loads by the service worker
    expect(window.get("room-list")).to_be_attached()
    window.page.wait_for_function(f"async () => {{ const [kept, all] = await ({KEPT})(); return kept === all; }}")


def test_every_part_of_the_page_opens_while_the_server_is_away(
    new_window: Callable[..., Window], new_server: Callable[..., ServerProcess]
) -> None:
    server = new_server()
    ann = new_window(server)
    ann.register("ann")
    all_parts_are_kept(ann)
    ann.lenient = True
    server.terminate()
    server.wait()
    ann.get("settings").click()
    expect(ann.page.get_by_role("tab").first).to_be_visible()
    ann.page.reload()
    expect(ann.page).to_have_title("Rookery")


def test_what_was_seen_last_is_there_while_the_server_is_away(
    new_window: Callable[..., Window], new_server: Callable[..., ServerProcess]
) -> None:
    """And what is written meanwhile is sent once when the server is back."""
    server = new_server()
    ann = new_window(server)
    ann.register("ann")
    all_parts_are_kept(ann)
    name = unique("seen")
    ann.new_room(name)
    ann.say("said before")
    expect(ann.message("said before")).to_have_attribute("data-state", "stored")
    ann.page.reload()
    expect(ann.message("said before")).to_be_visible()
    ann.page.wait_for_function(SEEN, arg="said before")
    ann.lenient = True
    server.terminate()
    server.wait()
    ann.page.reload()
    expect(ann.message("said before")).to_be_visible()
    expect(ann.get("room-item").filter(has_text=name)).to_be_visible()
    expect(ann.get("connection-status")).to_contain_text("Connection lost")
    ann.get("composer").fill("said without a connection")
    ann.get("send").click()
    expect(ann.message("said without a connection")).to_have_attribute("data-state", "sending")
    ann.page.reload()
    expect(ann.message("said without a connection")).to_be_visible()
    server.start()
    expect(ann.message("said without a connection")).to_have_attribute("data-state", "stored")
    ann.page.reload()
    expect(ann.message("said without a connection")).to_have_count(1)
    expect(ann.message("said before")).to_have_count(1)
    ann.get("logout").click()
    expect(ann.get("login-form")).to_be_visible()
    ann.eventually(lambda: ann.page.evaluate(SEEN, "said"), False)


# Whether a text stands in what is kept of this user.
SEEN = """async (text) => {
  const database = await new Promise((done) => {
    const opening = indexedDB.open("rookery.shelf");
    opening.onsuccess = () => done(opening.result);
  });
  const all = database.transaction("kept").objectStore("kept").getAll();
  const values = await new Promise((done) => { all.onsuccess = () => done(all.result); });
  database.close();
  return JSON.stringify(values).includes(text);
}"""


def test_a_part_that_an_upgrade_took_away_offers_the_new_version(
    new_window: Callable[..., Window], server: ServerProcess
) -> None:
    """As in a browser whose service worker could not keep it. What was written survives the reload."""
    ann = new_window(server, service_workers="block")
    ann.register("ann")
    ann.new_room(unique("upgraded"))
    ann.get("composer").fill("half a sentence")
    upgraded = False
    new_page = '<script type="module" src="./assets/page-0123456789abcdef.js"></script>'

    def answer(route: Route) -> None:
        if upgraded and route.request.resource_type == "script":
            route.fulfill(status=404)
        elif upgraded and route.request.resource_type == "fetch":
            route.fulfill(body=new_page)
        else:
            route.continue_()

    ann.page.route(re.compile(r"/(assets/SettingsPage[^/]*\.js)?$"), answer)
    upgraded = True
    ann.get("settings").click()
    expect(ann.get("part-failed")).to_contain_text("There is a new version of this page.")
    expect(ann.get("notice")).to_contain_text("There is a new version of this page.")
    upgraded = False
    ann.problems.clear()
    ann.page.go_back()
    ann.get("notice").get_by_role("button", name="Load again").click()
    expect(ann.get("composer")).to_have_value("half a sentence")
    ann.problems.clear()  # Playwright tells that it blocked the service worker
