"""Chromium with windows on a screen, which know whether they are in focus, and with notifications that one can click.

Playwright makes every page believe that it is visible and in focus. So it only prepares the page, and lets go; then
DevTools is asked directly. The screen is Xvfb's. Without a notification service on the bus, Chromium draws
notifications itself, in the screen's lower right corner.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Playwright
from websockets.sync.client import ClientConnection, connect

from tests.support.browser import FLAGS
from tests.support.named_hosts import wait_until
from tests.support.patience import patient

SIZE = (1400, 1000)
CORNER = (190, 50)
"""Of a lone notification: a place within it, from the lower right corner of the screen, in pixels."""


@contextmanager
def screen() -> Iterator[dict[str, str]]:
    """A screen, and the environment of programs that draw on it."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    try:
        os.close(writing)
        with open(reading) as told:
            display = told.readline().strip()
        assert display, "Xvfb did not start"
        yield {**os.environ, "DISPLAY": f":{display}", "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
    finally:
        server.terminate()
        server.wait(30)


class DevTools:
    """Chromium's protocol for developers, as of https://chromedevtools.github.io/devtools-protocol/."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """The answer to a call; what happens meanwhile is in `events`."""
        id_ = next(self._ids)
        call = {"id": id_, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self._socket.send(json.dumps(call))
        while True:
            said = json.loads(self._socket.recv(timeout=patient(30)))
            if said.get("id") == id_:
                assert "error" not in said, said
                answer: dict[str, Any] = said["result"]
                return answer
            self.events.append(said)

    def evaluate(self, session: str, expression: str) -> Any:
        """What an expression comes to, in the page or worker of a session."""
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self.call("Runtime.evaluate", session, **asked)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def find_targets(self, kind: str, part: str) -> list[str]:
        """Pages or workers whose address holds `part`."""
        found = self.call("Target.getTargets")["targetInfos"]
        return [each["targetId"] for each in found if each["type"] == kind and part in each["url"]]

    def attach(self, target: str) -> str:
        """A session with a page or worker."""
        session: str = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return session


class Desktop:
    """A screen with one Chromium on it."""

    def __init__(self, tools: DevTools, environment: dict[str, str]) -> None:
        self.tools = tools
        self._environment = environment

    def click_notification(self, until: Callable[[], bool]) -> None:
        """Click where a lone notification is shown, or will be soon, until that has its effect."""
        place = [str(size - offset) for size, offset in zip(SIZE, CORNER, strict=True)]

        def click() -> bool:
            command = ["xdotool", "mousemove", *place, "click", "1"]
            subprocess.run(command, env=self._environment, check=True, capture_output=True, timeout=patient(30))
            return until()

        wait_until(click)


@contextmanager
def open_desktop(
    playwright: Playwright, chromium: str, profile: Path, prepare: Callable[[Page], None]
) -> Iterator[Desktop]:
    """Let `prepare` do what it does with a page by Playwright, which then lets go of the browser."""
    with ExitStack() as stack:
        environment = stack.enter_context(screen())
        command = [chromium, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
        browser = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(browser.wait, 30)
        stack.callback(browser.terminate)
        told = profile / "DevToolsActivePort"
        wait_until(lambda: told.exists() and len(told.read_text().split()) == 2)
        port, path = told.read_text().split()
        connected = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        prepare(connected.contexts[0].pages[0])
        connected.close()
        socket = stack.enter_context(connect(f"ws://127.0.0.1:{port}{path}", max_size=None))
        yield Desktop(DevTools(socket), environment)
