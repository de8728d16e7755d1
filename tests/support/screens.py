"""The screens of the page, and how one gets to each of them: on a server with an owner, a room and a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
from playwright.sync_api import Browser, expect

from tests.support.browser import DESKTOP, PASSWORD, Window, talking
from tests.support.process import ServerProcess

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


@contextmanager
def staged(browser: Browser, data: Path) -> Iterator[Scene]:
    """It is ready; the server ends with it."""
    settings = {"moderation": "on", "moderators": OWNER, "rate_limits": "off"}
    with ServerProcess("every-screen", data, **settings) as server:
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


# How many layers the entry of now says to be open, and how many of those are there that are left: a panel alone.
_OPEN_BY_HISTORY = """() => (history.state?.depth ?? 0) - (document.querySelector("[data-panel]") ? 1 : 0)"""

Step = Callable[[Window, Scene], None]


def at(address: str, testid: str) -> Step:
    """Where an address leads, when this is there."""

    def step(window: Window, scene: Scene) -> None:
        place, hash_ = window.get(testid).first, address.format(room=scene.room)
        window.page.evaluate("(hash) => { location.hash = hash }", hash_)
        window.draw()
        expect(place).to_be_visible()

    return step


def opened(address: str, *testids: str) -> Step:
    """What the buttons open there, one after the other; the last one is what is then there."""

    def step(window: Window, scene: Scene) -> None:
        at(address, testids[0])(window, scene)
        for testid in testids[:-1]:
            window.get(testid).first.click()
        expect(window.get(testids[-1]).first).to_be_visible()

    return step


def _shown(testid: str, role: Literal["dialog", "listbox", "menu"]) -> Step:
    """What a button of the gallery opens."""

    def step(window: Window, scene: Scene) -> None:
        at("#/gallery", "gallery")(window, scene)
        window.get(testid).click()
        expect(window.page.locator(f'[role="{role}"]:focus-within')).to_be_visible()

    return step


def close_layers(window: Window) -> None:
    """Nothing lies over the page any more, and the history tells so."""
    layers = window.page.locator('[role="dialog"], [data-trigger="MenuTrigger"]')

    def are_left() -> int:
        # A tooltip takes an Escape for itself.
        window.page.keyboard.press("Escape")
        return layers.count()

    window.eventually(are_left, 0)
    window.eventually(lambda: window.page.evaluate(_OPEN_BY_HISTORY), 0)


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
    "lists": at("#/", "room-list"),
    "room": at(ROOM, "message"),
    "emoji": opened(ROOM, "open-emoji", "emoji-picker"),
    "about the room": at(f"{ROOM}/about", "room-facts"),
    "members": at(f"{ROOM}/members", "member"),
    "a member's menu": opened(f"{ROOM}/members", "manage", "kick"),
    "pins": at(f"{ROOM}/pins", "pin"),
    "settings of the room": at(f"{ROOM}/settings", "room-settings-form"),
    "invitations": at(f"{ROOM}/invitations", "invitation-form"),
    "person": opened(ROOM, "open-author", "person-dialog"),
    "new room": opened("#/", "new-room", "room-name"),
    "rooms to join": opened("#/", "browse-rooms", "public-rooms"),
    "people to write to": opened("#/", "new-dm", "people-search"),
    "switcher": opened("#/", "open-switcher", "switcher-item"),
    "activity": at("#/activity", "activity-item"),
    "search": at("#/search", "search-page-input"),
    **{f"settings of {tab}": at(f"#/settings/{tab}", "settings-page") for tab in SETTINGS},
    **{f"moderation: {tab}": at(f"#/moderation/{tab}", "moderation-list") for tab in ("open", "audit")},
}


def _toasts(window: Window, scene: Scene) -> None:
    at("#/gallery", "gallery")(window, scene)
    for kind in ("a notice", "an error"):
        window.page.get_by_role("button", name=f"Show {kind}").click()
    expect(window.get("notice")).to_have_count(2)


GALLERY: dict[str, Step] = {
    "components": at("#/gallery", "gallery"),
    **{
        f"{kind} dialog": opened("#/gallery", f"gallery-dialog-{kind}", "gallery-dialog")
        for kind in ("normal", "wide", "page")
    },
    "question": opened("#/gallery", "gallery-question", "confirm-dialog"),
    "sheet": _shown("gallery-sheet", "dialog"),
    "popover": _shown("gallery-popover", "dialog"),
    "menu": _shown("gallery-menu", "menu"),
    "choice": _shown("gallery-select", "listbox"),
    "notices": _toasts,
}
EVERY = {**SCREENS, **{f"gallery: {name}": step for name, step in GALLERY.items()}}
