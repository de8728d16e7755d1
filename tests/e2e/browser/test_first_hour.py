"""The first hour of a new team, in each language, on a desktop and a phone, with axe at each step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.support.axe import find_violations
from tests.support.browser import DESKTOP, PASSWORD, Window, sound
from tests.support.fingers import press_long
from tests.support.process import ServerProcess
from tests.support.words import find_latin_words

pytestmark = [pytest.mark.slow, pytest.mark.browser]

DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
OWNER, GUEST = "olga", "pavel"


@dataclass(frozen=True)
class Team:
    """What the people of a team are called, and what they write in their language."""

    locale: str
    owner: str
    guest: str
    room: str
    hello: str
    answer: str
    sought: str
    """A word of the answer."""
    other: str
    """The language that one tries out."""


TEAMS = {
    "en": Team("en-GB", "Olga", "Pavel", "Harbour", "Good morning!", "tea is ready", "ready", "ru"),
    "ru": Team("ru-RU", "Ольга", "Павел", "Гавань", "Доброе утро!", "чай готов", "готов", "en"),
}


class Hour:
    """The people with their windows, and what is wrong on the screens that they came by."""

    def __init__(self, team: Team, open_window: Callable[[], Window], *, touch: bool) -> None:
        self.team = team
        self.touch = touch
        self.owner = open_window()
        self.guest = open_window()
        self.found: dict[str, list[str]] = {}

    def look(self, window: Window, step: str) -> None:
        """By axe, by what holds on every screen, and on a Russian page for words of another language."""
        window.draw()
        sound(window)
        wrong = find_violations(window)
        if self.team.locale == "ru-RU":
            wrong += find_latin_words(window, OWNER, GUEST, window.server.http_address)
        if wrong:
            self.found[step] = wrong

    def to_lists(self, window: Window) -> None:
        """On a phone they are a screen of their own."""
        if self.touch:
            # Out of a conversation by Back; every other screen has the tabs.
            window.page.locator('[data-testid="back"]:visible, nav a[href="#/"]:visible').last.tap()
        expect(window.get("room-list")).to_be_visible()

    def press(self, one: Locator) -> None:
        """By a finger, or the mouse."""
        if self.touch:
            one.tap()
        else:
            one.click()


CASES = [
    pytest.param("en", "desktop"),
    pytest.param("ru", "phone"),
    pytest.param("en", "phone", marks=pytest.mark.long),
    pytest.param("ru", "desktop", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("language", "device"), CASES)
def test_the_first_hour_of_a_team(
    language: str, device: str, new_server: Callable[..., ServerProcess], new_window: Callable[..., Window]
) -> None:
    server = new_server(first_account_owns="on")
    team = TEAMS[language]
    options = {**DEVICES[device], "locale": team.locale, "reduced_motion": "reduce"}
    hour = Hour(team, lambda: new_window(server, **options), touch=device == "phone")
    link = _begin(hour)
    _join(hour, link)
    _talk(hour)
    _search(hour)
    _settle_in(hour)
    _leave(hour)
    assert hour.found == {}


def _register(hour: Hour, window: Window, name: str, shown: str, path: str = "/") -> None:
    window.open(path)
    hour.press(window.get("show-register"))
    form = window.get("register-form")
    form.locator("[name=name]").fill(name)
    form.locator("[name=display_name]").fill(shown)
    form.locator("[name=password]").fill(PASSWORD)
    hour.look(window, f"{name} registers")
    hour.press(form.get_by_test_id("submit"))


def _begin(hour: Hour) -> str:
    """The first account owns the instance, makes a room and a link for the team."""
    owner, team = hour.owner, hour.team
    _register(hour, owner, OWNER, team.owner)
    expect(owner.get("open-first-steps")).to_be_visible()
    hour.press(owner.get("open-first-steps"))
    expect(owner.get("first-steps")).to_be_visible()
    hour.look(owner, "first steps")
    hour.to_lists(owner)
    hour.press(owner.get("new-room"))
    owner.get("room-name").fill(team.room)
    hour.look(owner, "a new room")
    hour.press(owner.get("new-room-dialog").get_by_test_id("submit"))
    expect(owner.page.get_by_role("heading", name=team.room, exact=True)).to_be_visible()
    hour.press(owner.get("invite-team"))
    expect(owner.get("invite-link")).not_to_have_value("")
    hour.look(owner, "the link")
    link = owner.get("invite-link").input_value()
    owner.page.keyboard.press("Escape")
    expect(owner.get("invite-dialog")).to_have_count(0)
    return "/" + link.rpartition("/")[2]


def _join(hour: Hour, link: str) -> None:
    guest, team = hour.guest, hour.team
    _register(hour, guest, GUEST, team.guest, link)
    expect(guest.page.get_by_role("heading", name=team.room, exact=True)).to_be_visible()
    expect(guest.get("composer")).to_be_visible()
    hour.look(guest, "joined")


def _talk(hour: Hour) -> None:
    """A greeting, an answer with a mention, and a reaction to that."""
    owner, guest, team = hour.owner, hour.guest, hour.team
    owner.get("composer").fill(team.hello)
    hour.press(owner.get("send"))
    expect(guest.message(team.hello)).to_be_visible()
    guest.get("composer").press_sequentially(f"@{OWNER[:3]}")
    expect(guest.page.get_by_role("option", name=team.owner)).to_have_attribute("aria-selected", "true")
    hour.look(guest, "a mention begins")
    guest.get("composer").press("Tab")
    guest.get("composer").press_sequentially(team.answer)
    hour.press(guest.get("send"))
    expect(owner.page.locator(".mention.me")).to_have_text(f"@{OWNER}")
    answer = owner.message(team.answer)
    if hour.touch:
        press_long(owner, answer.locator(".text"), owner.get("message-sheet"))
        hour.look(owner, "what can be done with a message")
        owner.get("message-sheet").get_by_test_id("react-👍").tap()
    else:
        answer.hover()
        hour.look(owner, "what can be done with a message")
        answer.get_by_test_id("react-👍").click()
    expect(guest.message(team.answer).get_by_test_id("reaction")).to_be_visible()
    hour.look(guest, "a reaction")


def _search(hour: Hour) -> None:
    guest, team = hour.guest, hour.team
    hour.to_lists(guest)
    hour.look(guest, "lists")
    hour.press(guest.get("open-search"))
    field = guest.get("search-page-input")
    field.fill(team.sought)
    field.press("Enter")
    hit = guest.get("search-page-hit")
    expect(hit).to_contain_text(team.answer)
    hour.look(guest, "search")
    hour.press(hit)
    expect(guest.message(team.answer)).to_be_in_viewport()


def _settle_in(hour: Hour) -> None:
    """Dark colours, and the other language for a moment."""
    guest, team = hour.guest, hour.team
    root = guest.page.locator("html")
    _open_settings(hour, "appearance")
    colours = guest.page.get_by_role("radiogroup").first
    hour.press(colours.locator("label").nth(2))
    expect(root).to_have_attribute("data-theme", "dark")
    hour.look(guest, "dark")
    hour.press(guest.get("settings-language"))
    for language in (team.other, team.locale[:2]):
        name = {"en": "English", "ru": "Русский"}[language]
        hour.press(guest.page.locator("label").filter(has_text=name))
        expect(root).to_have_attribute("lang", language)
    hour.look(guest, "language")


def _open_settings(hour: Hour, tab: str) -> None:
    guest = hour.guest
    if hour.touch:
        hour.to_lists(guest)
        guest.page.locator('nav a[href="#/settings"]').tap()
    else:
        guest.get("settings").click()
    hour.press(guest.get(f"settings-{tab}"))


def _leave(hour: Hour) -> None:
    """Nothing of what was said stays behind, not for screen readers either."""
    guest, team = hour.guest, hour.team
    hour.to_lists(guest)
    hour.press(guest.get("logout"))
    expect(guest.get("login-form")).to_be_visible()
    expect(guest.page.get_by_role("log")).to_be_empty()
    expect(guest.page.get_by_text(team.hello)).to_have_count(0)
    hour.look(guest, "logged out")
