"""Nothing is cut off, covered or out of reach: with text twice as large as usual, and in a window of 320 pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import DESKTOP, Window, sound
from tests.support.fingers import press_long
from tests.support.layout import find_flaws
from tests.support.screens import DEVICES, EVERY, OUT, OWNER, ROOM, Scene, Step, at, close_layers, opened, staged

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.long]

SIZES: dict[str, tuple[dict[str, Any], str]] = {
    "large text": ({"viewport": DESKTOP}, "200%"),
    "large text on a phone": (
        {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
        "200%",
    ),
    "narrow": ({**DEVICES["phone"], "viewport": {"width": 320, "height": 640}}, ""),
}


@pytest.fixture(scope="module")
def scene(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with staged(browser, tmp_path_factory.mktemp("data")) as scene:
        yield scene


def _sheet(window: Window, scene: Scene) -> None:
    at(ROOM, "message")(window, scene)
    press_long(window, window.message("an answer"), window.get("message-sheet"))


def _keys(window: Window, scene: Scene) -> None:
    at("#/", "room-list")(window, scene)
    window.page.keyboard.press("Control+/")
    expect(window.get("key-sheet")).to_be_visible()


def _preview(window: Window, scene: Scene) -> None:
    at(ROOM, "composer")(window, scene)
    window.get("composer").fill("**very** important")
    formats = window.page.get_by_role("button", name="Formats")
    if formats.is_visible():
        formats.click()
    window.get("toggle-preview").click()
    expect(window.get("preview")).to_contain_text("very")


MORE: dict[str, Step] = {
    "tools and preview": _preview,
    "dates": opened(ROOM, "day", "jump-to-date"),
    "keys": _keys,
    "a decision": opened("#/moderation/open", "decide-remove", "decision-dialog"),
    "add people": opened(f"{ROOM}/members", "add-people", "people-dialog"),
    "notifications of the room": opened(f"{ROOM}/about", "room-notifications", "room-notifications-dialog"),
}


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_or_covered_or_out_of_reach(size: str, scene: Scene, new_window: Callable[..., Window]) -> None:
    options, text = SIZES[size]
    window = new_window(scene.server, **options, reduced_motion="reduce")
    found: dict[str, list[str]] = {}

    def look(name: str, step: Step) -> None:
        step(window, scene)
        window.page.evaluate("(size) => { document.documentElement.style.fontSize = size; }", text)
        window.draw()
        flaws = find_flaws(window, text)
        sound(window)
        if flaws:
            found[name] = flaws

    window.open()
    for name, step in OUT.items():
        look(name, step)
    window.open()
    window.log_in(OWNER)
    expect(window.get("room-list")).to_be_attached()
    for name, step in {**EVERY, **MORE, **({"sheet": _sheet} if "has_touch" in options else {})}.items():
        look(name, step)
        close_layers(window)
    assert found == {}
