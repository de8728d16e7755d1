"""Windows of the chat page in a real browser: headless Chromium, driven by Playwright.

Nothing is waited for by time: Playwright goes on as soon as what is looked for is there, and fails after a deadline.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright, expect
from websockets.sync.client import ClientConnection, connect

from tests.support.patience import patient
from tests.support.process import OUTPUT, ServerProcess

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
DEADLINE_MS = 20_000
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # A host that is no secure context, as an address in the local network: 127.0.0.1 is one.
    "--host-resolver-rules=MAP insecure.test 127.0.0.1",
]

# What the page keeps of its session: `tokens`, and `put` to change them.
VAULT = """new Promise((resolve, reject) => {
  const opening = indexedDB.open("rookery");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const store = opening.result.transaction("session", "readwrite").objectStore("session");
    const reading = store.get("tokens");
    reading.onsuccess = () => resolve({
      tokens: reading.result,
      put: (tokens) => opening.result.transaction("session", "readwrite").objectStore("session").put(tokens, "tokens"),
    });
  };
})"""

_FRAMES = """async () => {
  for (let frame = 0; frame < 4; frame += 1) await new Promise(requestAnimationFrame);
}"""

_STILL = """async () => {
  for (let before = "", frames = 0; frames < 20; ) {
    await new Promise(requestAnimationFrame);
    const list = document.querySelector(".messages");
    const now = `${list?.scrollTop} ${list?.scrollHeight}`;
    frames = list && now === before ? frames + 1 : 0;
    before = now;
  }
}"""

# Everything that one can press or fill, without a name that a screen reader could say.
_NAMELESS = """() => [...document.querySelectorAll("button, a[href], input, textarea, select")]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length))
  .map((one) => one.outerHTML)"""
_TOO_WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
# What stands in a box of one pixel is for screen readers alone: no pointer reaches it.
_SMALL = """() => [...document.querySelectorAll("button, .item")]
  .filter((one) => one.checkVisibility() && one.parentElement.getBoundingClientRect().width > 1)
  .map((one) => [one.getBoundingClientRect(), one.outerHTML])
  .filter(([box]) => box.width < 24 || box.height < 24)
  .map(([, html]) => html)"""

# What lies over the page, with the focus in it.
_FOCUSED_LAYER = ':is([role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"]):focus-within'

_numbers = itertools.count(1)
# What a slow connection adds to a request and to a message of a WebSocket.
_LATENCY_MS = 100


def _is_chromium(page: Page) -> bool:
    browser = page.context.browser
    return browser is None or browser.browser_type.name == "chromium"


def _slow_down(page: Page, times: float) -> None:
    """From now on its processor is `times` slower, and its network slow, which Chromium alone can do."""
    if not _is_chromium(page):
        return
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": times})
    network = {"offline": False, "latency": _LATENCY_MS, "downloadThroughput": -1, "uploadThroughput": -1}
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", network)


def launch(playwright: Playwright) -> Browser:
    """The Chromium that `scripts/chromium` finds or installs; without one the test is skipped."""
    path, missing = find_chromium()
    if missing:
        pytest.skip(missing)
    expect.set_options(timeout=patient(DEADLINE_MS))
    return playwright.chromium.launch(executable_path=path, args=FLAGS)


@cache
def find_chromium(*options: str) -> tuple[str, str]:
    """Its path, or else the reason why there is none, which starts with `needs`. For `options` see the script."""
    command = [str(ROOT / "scripts/chromium"), *options]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if answer.returncode:
        return "", f"needs Chromium, which cannot be installed here {' '.join(options)}".rstrip()
    return answer.stdout.strip(), ""


def unique(name: str) -> str:
    """A name that no other test of this run takes, and that none of theirs begins with."""
    return f"{name}-{next(_numbers):04}"


class Window:
    """A window of one person, with what a person does in it. Every error on its console fails the test at the end."""

    # How many times slower than the machine its processor is: `--slow-browser`.
    slowness: ClassVar[float] = 1.0

    def __init__(self, page: Page, server: ServerProcess) -> None:
        self.page = page
        self.server = server
        self.name = ""
        self.host = "127.0.0.1"
        self.problems: list[str] = []
        # While the server is down, the browser itself reports the connections that fail.
        self.lenient = False
        page.set_default_timeout(patient(DEADLINE_MS))
        expect.set_options(timeout=patient(DEADLINE_MS))
        if self.slowness > 1:
            _slow_down(page, self.slowness)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def _said(self, message: ConsoleMessage) -> None:
        offline = "net::ERR_" in message.text or "WebSocket connection" in message.text
        expected = "status of 4" in message.text or (self.lenient and offline)
        # Of an insecure origin, Chromium says that it heeds less than the server asks for.
        expected |= self.host != "127.0.0.1" and "Cross-Origin-Opener-Policy" in message.text
        if message.type in {"error", "warning"} and not expected:
            self.problems.append(f"{message.type}: {message.text}")

    def get(self, testid: str) -> Locator:
        """The elements with this `data-testid`."""
        return self.page.get_by_test_id(testid)

    def open(self, path: str = "/") -> None:
        """Load the page."""
        self.page.goto(self.server.http.replace("127.0.0.1", self.host) + path)

    def register(self, name: str, path: str = "/") -> None:
        """Make an account, as a visitor does."""
        self.open(path)
        self.get("show-register").click()
        self.name = unique(name)
        self._fill("register-form", self.name, PASSWORD)
        expect(self.get("room-list")).to_be_attached()

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        """Log in."""
        self._fill("login-form", name, password)

    def _fill(self, form: str, name: str, password: str) -> None:
        fields = self.get(form)
        fields.get_by_test_id("name").fill(name)
        fields.get_by_test_id("password").fill(password)
        fields.get_by_test_id("submit").click()

    def write(self, testid: str, text: str) -> None:
        """Put this text into a field, in place of what is in it.

        Playwright's `fill` sets the value in Firefox by a script of the page, of which React takes no notice: there the
        text is typed.
        """
        field = self.get(testid)
        if _is_chromium(self.page):
            field.fill(text)
        else:
            field.press("Control+a")
            field.press_sequentially(text)

    def new_room(self, name: str, *, private: bool = False) -> str:
        """Make a room and be in it; its id."""
        self.get("new-room").click()
        self.write("room-name", name)
        if private:
            self.get("visibility-private").check()
        self.get("new-room-dialog").get_by_test_id("submit").click()
        self._arrive(name)
        return self.page.url.rpartition("/room/")[2]

    def _arrive(self, name: str) -> None:
        """Wait until this conversation is there: what is typed earlier goes into the composer of the one before."""
        expect(self.page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        expect(self.get("composer")).to_be_visible()

    def join(self, name: str) -> None:
        """Find a public room and be in it."""
        self.get("browse-rooms").click()
        expect(self.get("public-rooms")).to_have_attribute("aria-busy", "false")
        self.page.get_by_role("button", name=f"Join {name}", exact=True).click()
        self._arrive(name)

    def enter(self, name: str) -> None:
        """Open a conversation from the lists."""
        self.page.get_by_role("navigation").get_by_role("link", name=name).click()
        self._arrive(name)

    def write_to(self, name: str) -> None:
        """Open the conversation with a person."""
        self.get("new-dm").click()
        self.write("people-search", name)
        expect(self.get("people-results")).to_have_attribute("aria-busy", "false")
        self.get("people-results").get_by_role("button", name=name).click()
        self._arrive(name)

    def say(self, text: str) -> None:
        """Send a message in the open conversation."""
        self.write("composer", text)
        self.get("send").click()

    def message(self, text: str) -> Locator:
        """The messages that hold this text."""
        return self.get("message").filter(has_text=text)

    def act(self, text: str, action: str) -> None:
        """Use an action of the bar that a message shows under the pointer."""
        message = self.message(text).last
        button = message.get_by_test_id(action).first

        def is_offered() -> bool:
            # A message that comes may take this one away from under the pointer, which follows it.
            message.hover()
            return button.is_visible()

        self.eventually(is_offered, True)
        button.click()

    def texts(self) -> list[str]:
        """The texts of the messages that are in the list now, in order."""
        return self.page.locator(".message .text").all_inner_texts()

    def escape(self) -> None:
        """Press Escape in what lies over the page, once the focus is there: before, it would go elsewhere."""
        expect(self.page.locator(_FOCUSED_LAYER).last).to_be_attached()
        self.page.keyboard.press("Escape")

    def expect_texts(self, *texts: str) -> None:
        """The texts of the messages become these, and are no more than these."""
        self.eventually(self.texts, list(texts))

    def rest(self) -> None:
        """Wait until the list of messages stands still: nothing is loaded, measured or scrolled any more."""
        self.page.evaluate(_STILL)

    def eventually(self, find: Callable[[], object], wanted: object) -> None:
        """Look for something, frame by frame, until it is what is wanted."""
        until = time.monotonic() + patient(DEADLINE_MS) / 1000
        while (found := find()) != wanted:
            assert time.monotonic() < until, f"{found!r} instead of {wanted!r}"
            self.draw()

    def screenshot(self, name: str) -> None:
        """Keep what the window shows under the tests' output."""
        folder = OUTPUT / "browser"
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png", animations="disabled")

    def count_requests(self, part: str) -> list[str]:
        """The paths of the requests from now on whose address holds `part`; the list grows with them."""
        found: list[str] = []
        self.page.on("request", lambda request: found.append(request.url) if part in request.url else None)
        return found

    def draw(self) -> None:
        """Wait until the window has drawn what it knows, and whatever follows from that."""
        self.page.evaluate(_FRAMES)

    def token(self) -> str:
        """The access token of this window's session."""
        found: str = self.page.evaluate(f"async () => (await {VAULT}).tokens.access")
        return found

    def check(self) -> None:
        """Nothing went wrong in this window: no exception, no blocked resource, no failed request."""
        assert not self.problems, "\n".join(self.problems)


def sound(window: Window) -> None:
    """What must hold on every screen, once it has come to rest: names, no sideways scrolling, targets of 24 pixels
    (WCAG 2.2, 2.5.8)."""
    window.eventually(lambda: window.page.evaluate(_NAMELESS), [])
    window.eventually(lambda: window.page.evaluate(_TOO_WIDE), False)
    window.eventually(lambda: window.page.evaluate(_SMALL), [])


@contextmanager
def talking(server: ServerProcess, token: str) -> Iterator[Talk]:
    """A WebSocket session of the same person beside the page, to say much at once."""
    with connect(server.ws) as socket:
        talk = Talk(socket)
        talk.command("auth", token=token)
        yield talk


class Talk:
    """Commands by a WebSocket client that is not ours."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._ids = itertools.count(1)

    def command(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A command, and its `ok`."""
        return self.commands([{"type": kind, **fields}])[0]

    def send(self, room: str, texts: list[str]) -> None:
        """Say these in a room, in this order."""
        self.commands([{"type": "send", "room": room, "text": text, "client_id": str(uuid.uuid4())} for text in texts])

    def commands(self, commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Many commands at once, and their answers."""
        ids = [next(self._ids) for _ in commands]
        for id_, command in zip(ids, commands, strict=True):
            self.socket.send(json.dumps({**command, "id": id_}))
        answers: dict[int, dict[str, Any]] = {}
        while len(answers) < len(ids):
            said = json.loads(self.socket.recv(timeout=patient(DEADLINE_MS) / 1000))
            if said.get("id") in ids:
                assert said["type"] == "ok", said
                answers[said["id"]] = said
        return [answers[id_] for id_ in ids]


def meet(ann: Window, bob: Window) -> str:
    """Both register and are in one room, whose name is returned. Errors on their consoles are let pass from then on."""
    for window, name in ((ann, "ann"), (bob, "bob")):
        window.register(name)
        window.lenient = True
    room = unique("plans")
    ann.new_room(room)
    bob.join(room)
    return room
