"""The keyboard's ways, live regions, forced colours and reduced motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.support.browser import DESKTOP, Window, unique
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.long]

# How something is drawn, by what may tell it apart.
_DRAWN = """(one) => {
  const style = getComputedStyle(one);
  return ["backgroundColor", "color", "outlineStyle", "borderTopColor", "borderTopStyle", "borderBottomColor"]
    .map((name) => style[name]).join(" ");
}"""
_RING = """(one) => {
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  return outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
}"""
# What still moves, longer than the blink that stands for no motion.
_MOVING = """() => document.getAnimations()
  .filter((one) => one.playState === "running" && one.effect.getComputedTiming().activeDuration > 1)
  .map((one) => `${one.animationName ?? one.transitionProperty} ${one.effect.target?.outerHTML.slice(0, 120)}`)"""


@dataclass(frozen=True)
class Scene:
    """Ann with two rooms, in one of which Bob has answered."""

    server: ServerProcess
    ann: str
    bob: str
    room: str
    other: str


@pytest.fixture(scope="module")
def scene(browser: Browser, server: ServerProcess) -> Iterator[Scene]:
    options: dict[str, Any] = {"viewport": DESKTOP}
    ann, bob = (Window(browser.new_context(**options).new_page(), server) for _ in range(2))
    ann.register("ann")
    bob.register("bob")
    other, room = unique("other"), unique("room")
    ann.new_room(other)
    ann.new_room(room)
    bob.join(room)
    bob.say("an answer")
    ann.act("an answer", "react-👍")
    bob.act("an answer", "react-❤️")
    expect(ann.message("an answer").get_by_test_id("reaction")).to_have_count(2)
    yield Scene(server, ann.name, bob.name, room, other)
    for window in (ann, bob):
        window.page.context.close()
        window.check()


@pytest.fixture
def enter(scene: Scene, new_window: Callable[..., Window]) -> Callable[..., Window]:
    """Opens a window in which Ann, or who is named, is in the room."""

    def open_window(name: str = scene.ann, **options: Any) -> Window:
        window = new_window(scene.server, **options)
        window.open()
        window.log_in(name)
        window.enter(scene.room)
        expect(window.message("an answer").get_by_test_id("reaction")).to_have_count(2)
        return window

    return open_window


def test_tab_stops_once_in_each_part_and_arrows_move_within(scene: Scene, enter: Callable[..., Window]) -> None:
    window = enter()
    keys = window.page.keyboard
    window.page.mouse.move(0, 0)
    skip = window.page.locator("#root a, #root button, #root [tabindex='0']").first
    expect(skip).to_have_text("Skip to the conversation")
    skip.focus()
    keys.press("Tab")
    keys.press("Shift+Tab")
    expect(skip).to_be_focused()
    assert skip.evaluate(_RING)
    keys.press("Enter")
    expect(window.page.get_by_role("main")).to_be_focused()
    keys.press("Tab")
    expect(window.page.get_by_role("main").locator(":focus")).to_have_count(1)

    expect(window.get("room-list").locator('[data-row] [tabindex="0"]')).to_have_count(1)
    rows = window.get("room-item")
    rows.filter(has_text=scene.room).focus()
    keys.press("ArrowDown")
    expect(rows.filter(has_text=scene.other)).to_be_focused()
    keys.press("ArrowUp")
    expect(rows.filter(has_text=scene.room)).to_be_focused()

    window.message("an answer").focus()
    keys.press("Tab")
    expect(window.get("open-author")).to_be_focused()
    for reaction in window.message("an answer").get_by_test_id("reaction").all():
        keys.press("Tab")
        expect(reaction).to_be_focused()
    keys.press("Tab")
    expect(window.get("react-👍")).to_be_focused()
    keys.press("ArrowRight")
    expect(window.get("react-❤️")).to_be_focused()
    keys.press("Escape")
    expect(window.message("an answer")).to_be_focused()

    window.get("format-bold").focus()
    keys.press("ArrowRight")
    expect(window.get("format-italic")).to_be_focused()


def test_nothing_is_read_out_after_the_log_out(scene: Scene, enter: Callable[..., Window]) -> None:
    window, other = enter(), enter(scene.bob)
    other.say("only for members")
    expect(window.page.get_by_role("log")).to_contain_text("only for members")
    window.get("logout").click()
    expect(window.get("login-form")).to_be_visible()
    for region in window.page.locator('[role="log"], [role="alert"], [aria-live]').all():
        expect(region).to_be_empty()
    expect(window.page.get_by_text("only for members")).to_have_count(0)
    expect(window.page.get_by_text(scene.room)).to_have_count(0)


def test_in_forced_colours_the_focus_shows_and_states_differ(scene: Scene, enter: Callable[..., Window]) -> None:
    window = enter(forced_colors="active")
    rows = window.get("room-item")
    given, other = window.message("an answer").get_by_test_id("reaction").all()
    pairs = [
        (rows.filter(has_text=scene.room), rows.filter(has_text=scene.other)),
        (given, other),
    ]
    assert [pair for pair in pairs if pair[0].evaluate(_DRAWN) == pair[1].evaluate(_DRAWN)] == []
    window.page.mouse.move(0, 0)
    window.get("composer").focus()
    _expect_ring(window.get("composer"))
    for key in ("Tab", "Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab"):
        window.page.keyboard.press(key)
        _expect_ring(window.page.locator(":focus-visible"))
    window.get("settings").click()
    window.get("settings-appearance").click()
    tabs = window.get("settings-appearance"), window.get("settings-profile")
    expect(tabs[0]).to_have_attribute("aria-selected", "true")
    assert tabs[0].evaluate(_DRAWN) != tabs[1].evaluate(_DRAWN)
    dots = window.page.get_by_role("radiogroup").first.locator("label > span[aria-hidden='true']")
    assert len({dot.evaluate(_DRAWN) for dot in dots.all()}) == 2


def _expect_ring(focused: Locator) -> None:
    """The composer has it around its box."""
    expect(focused).to_have_count(1)
    ring = f"(one) => ({_RING})(one.matches('textarea') ? one.closest(':not(form):has(button)') : one)"
    assert focused.evaluate(ring), focused.evaluate("(one) => one.outerHTML")


def test_reduced_motion_moves_nothing(enter: Callable[..., Window]) -> None:
    window = enter(reduced_motion="reduce")
    window.act("an answer", "react")
    expect(window.get("emoji-picker")).to_be_visible()
    assert window.page.evaluate(_MOVING) == []
    window.page.keyboard.press("Escape")
    window.get("new-room").click()
    expect(window.get("room-name")).to_be_visible()
    assert window.page.evaluate(_MOVING) == []
    window.page.keyboard.press("Escape")
    window.get("open-members").click()
    expect(window.get("member")).to_have_count(2)
    assert window.page.evaluate(_MOVING) == []
