"""How does the page bear 200 rooms, 5,000 people, 10,000 unread messages, and 50 new ones a second?

`python -m perf.page [--messages N] [--people N] [--rooms N] [--seconds N]`. A real server, and headless Chromium with a
window of 1280 by 800; both come before other work of the machine, where that is allowed. A user opens a room of 1,001
members with 10,000 unread messages, then stands at its bottom while 50 messages a second arrive; then scrolls the list
of conversations by half a window in each frame, and looks for a person by Ctrl+K.

Requests are those for messages, between the click and the line of what is unread. Nodes are the elements of the whole
document. Frames are counted by `requestAnimationFrame`; a long task is what the browser calls so (50 ms and more).
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright
from websockets.sync.client import ClientConnection, connect

from perf.browser import running_chromium
from perf.served import Served, served, session_precedence

MEMBERS = 1001
PER_SECOND = 50
WRITERS = 20
IN_FLIGHT = 200
DEADLINE_MS = 120_000
TEXTS = (
    "Morning. The nightly build is green again.",
    "I moved the **migration** behind a flag; see `settings/groups.py`, and tell me what you think of the name.",
    "Thanks!",
    "Who has the numbers of last week? I only find those of the week before, and they look odd to me.",
    "They are in the sheet:\n\n- 1,204 on Monday\n- 1,377 on Tuesday\n- nothing on Wednesday, it was down",
)
WATCH = """() => {
  const found = { frames: 0, longest: 0, begun: performance.now() };
  const frame = () => { found.frames += 1; found.request = requestAnimationFrame(frame); };
  found.request = requestAnimationFrame(frame);
  found.tasks = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) found.longest = Math.max(found.longest, duration);
  });
  found.tasks.observe({ type: "longtask" });
  window.perfWatch = found;
}"""
WATCHED = """() => {
  const found = window.perfWatch;
  cancelAnimationFrame(found.request);
  for (const { duration } of found.tasks.takeRecords()) found.longest = Math.max(found.longest, duration);
  found.tasks.disconnect();
  return { fps: found.frames / (performance.now() - found.begun) * 1000, longest: found.longest };
}"""
NODES = "document.querySelectorAll('*').length"
KEEP_TOKEN = """(access) => new Promise((resolve, reject) => {
  const opening = indexedDB.open("rookery");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const writing = opening.result.transaction("session", "readwrite");
    writing.objectStore("session").put({ access, refresh: "none", renew: Date.now() + 8e7 }, "tokens");
    writing.oncomplete = () => resolve();
  };
})"""
SCROLL = """async (frames) => {
  const box = document.querySelector("[data-testid=room-list]");
  for (let frame = 0; frame < frames; frame += 1) {
    box.scrollTop += box.clientHeight / 2;
    await new Promise(requestAnimationFrame);
  }
}"""


class Writer:
    """A session that writes; answers are read when many are on their way."""

    def __init__(self, server: Served, token: str) -> None:
        self._socket: ClientConnection = connect("ws://{}:{}/ws".format(*server.ws), max_size=None, legacy=True)
        self._waiting = 0
        self._id = 0
        self._command("auth", token=token)
        self.settle()

    def say(self, room: str, text: str) -> None:
        self._command("send", room=room, text=text, client_id=str(uuid.uuid4()))

    def write_to(self, person: str, text: str) -> None:
        self._command("dm", to=person, text=text, client_id=str(uuid.uuid4()))

    def settle(self, most: int = 0) -> None:
        """Wait until no more than so many answers are missing."""
        while self._waiting > most:
            said = json.loads(self._socket.recv(timeout=DEADLINE_MS / 1000))
            if said.get("id") is not None:
                assert said["type"] == "ok", said
                self._waiting -= 1

    def _command(self, kind: str, **fields: str) -> None:
        self.settle(IN_FLIGHT)
        self._id += 1
        self._waiting += 1
        self._socket.send(json.dumps({"type": kind, "id": self._id, **fields}))


def user_of(token: str) -> str:
    """The id of a token's user."""
    payload = token.split(".")[1]
    found: str = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]
    return found


def post(server: Served, token: str, path: str, body: dict[str, Any]) -> None:
    """A POST to the REST service that must succeed."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"http://{server.http}{path}"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=60) as answer:
        answer.read()


def fill(server: Served, options: argparse.Namespace) -> None:
    """Rooms and conversations of the reader, who is the first user, and messages of others in the large room."""
    reader = server.tokens[0]
    for number in range(options.rooms - 1):
        post(server, reader, "/api/rooms", {"name": f"project-{number}", "visibility": "private"})
    own = Writer(server, reader)
    for person in server.tokens[1 : options.people + 1]:
        own.write_to(user_of(person), "Welcome! Write to me if anything is unclear.")
    own.settle()
    writers = [Writer(server, token) for token in server.tokens[1 : WRITERS + 1]]
    for number in range(options.messages):
        writers[number // 3 % WRITERS].say(server.rooms[0], f"{TEXTS[number % len(TEXTS)]} ({number})")
    for writer in writers:
        writer.settle()


def open_page(page: Page, server: Served) -> None:
    """Be logged in, with the lists on the screen."""
    page.set_default_timeout(DEADLINE_MS)
    expect.set_options(timeout=DEADLINE_MS)
    page.goto(f"http://{server.http}/")
    expect(page.get_by_test_id("login-form")).to_be_visible()
    page.evaluate(KEEP_TOKEN, server.tokens[0])
    page.reload()
    expect(page.get_by_test_id("room-item").first).to_be_visible()
    settle(page)


def settle(page: Page) -> None:
    """Wait until nothing is asked for, and two seconds more, in which what is late is loaded."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(2000)


def watched(page: Page, run: Callable[[], object]) -> dict[str, float]:
    """Frames a second and the longest task, in ms, while this runs."""
    page.evaluate(WATCH)
    run()
    found: dict[str, float] = page.evaluate(WATCHED)
    return found


def open_room(page: Page, server: Served) -> None:
    """Open the room with all that is unread in it."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/messages" in request.url else None)

    def go() -> None:
        page.evaluate("(room) => { location.hash = '#/room/' + room }", server.rooms[0])
        expect(page.locator(".unread-line")).to_be_visible()
        settle(page)

    found = watched(page, go)
    report("requests for messages to open the room", len(asked), 3)
    report("nodes with the room open", page.evaluate(NODES), 2000)
    report("longest task while it opens, ms", found["longest"], 200)


def bear_messages(page: Page, server: Served, seconds: int) -> None:
    """Stand at the bottom while others write."""
    page.get_by_test_id("jump").click()
    expect(page.get_by_test_id("jump")).to_be_hidden()
    settle(page)
    count = seconds * PER_SECOND
    found = watched(page, lambda: write_evenly(server, count))
    expect(page.get_by_text(f"live {count - 1}", exact=True)).to_be_visible()
    report(f"frames a second while {PER_SECOND} messages arrive", found["fps"], 30, at_least=True)
    report("longest task meanwhile, ms", found["longest"], 200)
    report("nodes after it", page.evaluate(NODES), 2000)


def write_evenly(server: Served, count: int) -> None:
    """`PER_SECOND` messages a second, each at its time."""
    writers = [Writer(server, token) for token in server.tokens[1 : WRITERS + 1]]
    begun = time.monotonic()
    for number in range(count):
        time.sleep(max(0, begun + number / PER_SECOND - time.monotonic()))
        writers[number % WRITERS].say(server.rooms[0], f"live {number}")
    for writer in writers:
        writer.settle()


def scroll_lists(page: Page) -> None:
    """Move through the list of conversations."""
    found = watched(page, lambda: page.evaluate(SCROLL, 200))
    report("frames a second while the list scrolls", found["fps"], 30, at_least=True)
    report("longest task meanwhile, ms", found["longest"], 200)


def look_for(page: Page, name: str) -> None:
    """Find a person by Ctrl+K, a letter after the other."""

    def type_name() -> None:
        page.keyboard.press("Control+k")
        expect(page.get_by_test_id("switcher-input")).to_be_focused()
        page.keyboard.type(name, delay=60)
        expect(page.get_by_test_id("switcher-item").first).to_contain_text(name)

    found = watched(page, type_name)
    report("longest task while a person is looked for, ms", found["longest"], 200)


def report(what: str, value: float, wanted: float, *, at_least: bool = False) -> None:
    """One line."""
    kept = value >= wanted if at_least else value <= wanted
    bound = f"{'at least' if at_least else 'at most'} {wanted}"
    print(f"{what:48} {value:8.0f}   wanted: {bound:14} {'' if kept else 'MISSED'}", flush=True)


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--rooms", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args(None if arguments is None else list(arguments))
    root = Path(__file__).resolve().parents[1]
    chromium = subprocess.run([root / "scripts/chromium"], check=True, capture_output=True, text=True).stdout.strip()
    users = max(MEMBERS, options.people + 1)
    with ExitStack() as stack:
        stack.enter_context(session_precedence())
        server = stack.enter_context(served(users=users, rooms=1, members=MEMBERS))
        playwright = stack.enter_context(sync_playwright())
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # the server has a core, the browser may use all
        fill(server, options)
        port = stack.enter_context(running_chromium(chromium))
        browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        page = browser.contexts[0].new_page()
        page.set_viewport_size({"width": 1280, "height": 800})
        open_page(page, server)
        open_room(page, server)
        bear_messages(page, server, options.seconds)
        scroll_lists(page)
        look_for(page, "seed-4321" if options.people > 4321 else "seed-21")
        print(f"load of the machine: {os.getloadavg()[0]:.0f}")


if __name__ == "__main__":
    main()
