"""axe on every screen, on desktops and phones, in both schemes: names, roles, contrast, order of headings, targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.support.axe import find_violations
from tests.support.browser import DESKTOP, PASSWORD, Window, sound, talking
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]

OWNER = "olive"
SETTINGS = ("profile", "security", "notifications", "privacy", "appearance", "language", "instance", "users", "rooms")
DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
TEXTS = [
    "# Plan\n\nWe go *now*, with **both** of you: [the list](https://example.org), ~~maybe~~.",
    "| what | who |\n| --- | --- |\n| tea | ann |\n\n> and a quote\n\n- one\n- two",
    '```python\ndef greet(name: str) -> str:\n    return f"Hello {name}"  # a comment\n```',
]


@dataclass(frozen=True)
class Scene:
    """A server with its owner, another person, a room with some messages, and a report about one of them."""

    server: ServerProcess
    room: str


@pytest.fixture(scope="module")
def scene(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    settings = {"moderation": "on", "moderators": OWNER, "rate_limits": "off"}
    with ServerProcess("every-screen", tmp_path_factory.mktemp("data"), **settings) as server:
        httpx.post(f"{server.http}/api/auth/register", json={"name": OWNER, "password": PASSWORD}).raise_for_status()
        owner, other = (Window(browser.new_context(**DEVICES["desktop"]).new_page(), server) for _ in range(2))
        owner.open()
        owner.log_in(OWNER)
        room = owner.new_room("plans")
        other.register("pete")
        other.join("plans")
        with talking(server, other.token()) as talk, talking(server, owner.token()) as answer:
            talk.send(room, [*TEXTS, f"@{OWNER}, are you there?"])
            answer.send(room, ["an answer"])
        owner.act("an answer", "react-👍")
        expect(other.get("reaction")).to_be_visible()
        owner.act("an answer", "pin-message")
        told = {"room": room, "seq": len(TEXTS) + 2, "reason": "Not nice"}
        bearer = {"Authorization": f"Bearer {other.token()}"}
        httpx.post(f"{server.http}/api/moderation/reports", json=told, headers=bearer).raise_for_status()
        other.write_to(OWNER)
        other.say("only for you")
        expect(other.message("only for you")).to_have_attribute("data-state", "stored")
        for window in (owner, other):
            window.page.context.close()
            window.check()
        yield Scene(server, room)
        server.check()


Step = Callable[[Window, Scene], None]


def _at(address: str, testid: str) -> Step:
    """Where an address leads, when this is there."""

    def step(window: Window, scene: Scene) -> None:
        window.page.evaluate("(hash) => { location.hash = hash }", address.format(room=scene.room))
        expect(window.get(testid).first).to_be_visible()

    return step


def _opened(address: str, *testids: str) -> Step:
    """What the buttons open there, one after the other; the last one is what is then there."""

    def step(window: Window, scene: Scene) -> None:
        _at(address, testids[0])(window, scene)
        for testid in testids[:-1]:
            window.get(testid).first.click()
        expect(window.get(testids[-1]).first).to_be_visible()

    return step


def _closed(window: Window) -> None:
    """Nothing lies over the page any more."""
    layers = window.page.locator('[role="dialog"], [data-trigger="MenuTrigger"]')

    def are_left() -> int:
        # A tooltip takes an Escape for itself.
        window.page.keyboard.press("Escape")
        return layers.count()

    window.eventually(are_left, 0)


def _forgotten(window: Window, scene: Scene) -> None:
    window.get("show-login").click()
    window.get("forgot").click()


OUT: dict[str, Step] = {
    "log in": lambda window, _: expect(window.get("login-form")).to_be_visible(),
    "register": lambda window, _: window.get("show-register").click(),
    "forgotten password": _forgotten,
}
ROOM = "#/room/{room}"
SCREENS: dict[str, Step] = {
    "lists": _at("#/", "room-list"),
    "room": _at(ROOM, "message"),
    "emoji": _opened(ROOM, "open-emoji", "emoji-picker"),
    "about the room": _at(f"{ROOM}/about", "room-facts"),
    "members": _at(f"{ROOM}/members", "member"),
    "a member's menu": _opened(f"{ROOM}/members", "manage", "kick"),
    "pins": _at(f"{ROOM}/pins", "pin"),
    "settings of the room": _at(f"{ROOM}/settings", "room-settings-form"),
    "invitations": _at(f"{ROOM}/invitations", "invitation-form"),
    "person": _opened(ROOM, "open-author", "person-dialog"),
    "new room": _opened("#/", "new-room", "room-name"),
    "rooms to join": _opened("#/", "browse-rooms", "public-rooms"),
    "people to write to": _opened("#/", "new-dm", "people-search"),
    "switcher": _opened("#/", "open-switcher", "switcher-item"),
    "activity": _at("#/activity", "activity-item"),
    "search": _at("#/search", "search-page-input"),
    **{f"settings of {tab}": _at(f"#/settings/{tab}", "settings-page") for tab in SETTINGS},
    **{f"moderation: {tab}": _at(f"#/moderation/{tab}", "moderation-list") for tab in ("open", "audit")},
}
GALLERY = {
    "the components": _at("#/gallery", "gallery"),
    "a dialog": _opened("#/gallery", "gallery-dialog-normal", "gallery-dialog"),
    "a question": _opened("#/gallery", "gallery-question", "confirm-dialog"),
}
EVERY = {**SCREENS, **{f"gallery: {name}": step for name, step in GALLERY.items()}}


def _look(window: Window, name: str, found: dict[str, list[str]]) -> None:
    """All rules in the light; in the dark only the colours are others."""
    window.page.emulate_media(color_scheme="light")
    window.draw()
    wrong = find_violations(window)
    sound(window)
    window.page.emulate_media(color_scheme="dark")
    window.draw()
    wrong += [f"dark {one}" for one in find_violations(window, "color-contrast")]
    if wrong:
        found[name] = wrong


@pytest.mark.parametrize("device", DEVICES)
def test_axe_finds_nothing(device: str, scene: Scene, new_window: Callable[..., Window]) -> None:
    window = new_window(scene.server, **DEVICES[device], reduced_motion="reduce")
    found: dict[str, list[str]] = {}
    window.open()
    for name, step in OUT.items():
        step(window, scene)
        _look(window, name, found)
    window.open()
    window.log_in(OWNER)
    expect(window.get("room-list")).to_be_attached()
    for name, step in EVERY.items():
        step(window, scene)
        _look(window, name, found)
        _closed(window)
    assert found == {}
