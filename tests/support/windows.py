"""Headless Chromium, and what a person does with the page, by its `data-testid` hooks."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.support.people import PASSWORD
from tests.support.process import OUTPUT, ServerProcess

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_DEADLINE_MS = 20_000
_WHILE_AWAY = re.compile(r"WebSocket|ERR_CONNECTION|Failed to load resource|Failed to fetch|NetworkError")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; the test is skipped without one."""
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("needs Chromium; install the package `chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """A user's window: a context of its own, so with its own storage."""

    def __init__(self, browser: Browser, server: ServerProcess, name: str) -> None:
        self.name = name
        self.errors: list[str] = []
        self._context = browser.new_context(viewport={"width": 1100, "height": 720})
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(_DEADLINE_MS)
        expect.set_options(timeout=_DEADLINE_MS)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.goto(server.http + "/")

    def at(self, testid: str) -> Locator:
        """The elements of a hook."""
        return self.page.get_by_test_id(testid)

    def register(self, password: str = PASSWORD) -> None:
        """Make the account and come in."""
        self.at("show-register").click()
        form = self.at("register-form")
        form.get_by_test_id("name").fill(self.name)
        form.get_by_test_id("password").fill(password)
        form.get_by_test_id("submit").click()
        expect(self.at("me")).to_have_text(self.name)

    def new_room(self, name: str) -> None:
        """Make a public room, and be in it."""
        self.at("new-room").click()
        form = self.at("new-room-form")
        form.get_by_test_id("room-name").fill(name)
        form.get_by_test_id("submit").click()
        expect(self.at("composer")).to_be_visible()

    def join_room(self, name: str) -> None:
        """Find a public room, and be in it."""
        self.at("browse-rooms").click()
        self.at("public-rooms").get_by_role("listitem").filter(has_text=name).get_by_role("button").click()
        expect(self.at("composer")).to_be_visible()

    def say(self, text: str) -> None:
        """Write and send."""
        self.at("composer").fill(text)
        self.at("send").click()

    def message(self, text: str) -> Locator:
        """The message with this text."""
        return self.at("message").filter(has=self.page.locator(".text", has_text=text))

    def sees(self, text: str) -> None:
        """The message is there, stored, and there once."""
        expect(self.message(text)).to_have_count(1)
        expect(self.message(text)).to_have_attribute("data-seq", re.compile(r"\d+"))

    def seqs(self) -> list[int]:
        """The seqs of the messages that are shown, from top to bottom."""
        found = self.at("message").evaluate_all("all => all.map(one => Number(one.dataset.seq))")
        return [int(seq) for seq in found]

    def shoot(self, name: str) -> None:
        """Keep a picture."""
        folder = OUTPUT / "browser"
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png")

    def close(self) -> None:
        """Close; the console must not hold an error but for a server that was away."""
        self._context.close()
        errors = [error for error in self.errors if not _WHILE_AWAY.search(error)]
        assert errors == []
