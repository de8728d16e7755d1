"""A browser for the tests of a module, and windows in it, each a person's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import DESKTOP, Window, launch
from tests.support.process import ServerProcess

OpenWindow = Callable[..., Window]


def pytest_configure(config: pytest.Config) -> None:
    """Every window is as slow as `--slow-browser` says."""
    Window.slowness = config.getoption("slow_browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with sync_playwright() as playwright, launch(playwright) as found:
        yield found


@pytest.fixture
def new_window(browser: Browser, new_server: object) -> Iterator[OpenWindow]:  # its servers end later
    """Opens a window with its own storage, as another person's browser; options are those of a Playwright context."""
    windows: list[Window] = []

    def open_window(server: ServerProcess, **options: Any) -> Window:
        context = browser.new_context(**{"viewport": DESKTOP, "color_scheme": "light", **options})
        windows.append(Window(context.new_page(), server))
        return windows[-1]

    yield open_window
    for window in windows:
        window.page.context.close()
    for window in windows:
        window.check()


@pytest.fixture
def ann(new_window: OpenWindow, server: ServerProcess) -> Window:
    """A person who has just made an account."""
    window = new_window(server)
    window.register("ann")
    return window


@pytest.fixture
def bob(new_window: OpenWindow, server: ServerProcess) -> Window:
    """Another one, who likes it dark."""
    window = new_window(server, color_scheme="dark")
    window.register("bob")
    return window
