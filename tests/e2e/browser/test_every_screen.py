"""axe on every screen, on desktops and phones, in both schemes: names, roles, contrast, order of headings, targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.axe import find_violations
from tests.support.browser import Window, sound
from tests.support.screens import DEVICES, EVERY, GALLERY, OUT, OWNER, Scene, close_layers, staged

pytestmark = [pytest.mark.slow, pytest.mark.browser]

# What the page's setting puts on its root, and what the system says.
THEMES: dict[str, tuple[str, dict[str, Any]]] = {
    "light": ("light", {"color_scheme": "dark"}),
    "dark": ("dark", {"color_scheme": "light"}),
    "high contrast": ("contrast", {"color_scheme": "light"}),
    "high contrast, dark": ("contrast", {"color_scheme": "dark"}),
    "the system's contrast": ("", {"color_scheme": "light", "contrast": "more"}),
    "the system's contrast, dark": ("", {"color_scheme": "dark", "contrast": "more"}),
}
_DRESS = """(theme) => {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}"""


@pytest.fixture(scope="module")
def scene(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with staged(browser, tmp_path_factory.mktemp("data")) as scene:
        yield scene


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
        close_layers(window)
    assert found == {}


def test_axe_finds_nothing_in_the_gallery_in_any_theme(scene: Scene, new_window: Callable[..., Window]) -> None:
    """Each component in each state, and whatever opens."""
    window = new_window(scene.server, reduced_motion="reduce")
    window.open()
    window.log_in(OWNER)
    expect(window.get("room-list")).to_be_attached()
    found: dict[str, list[str]] = {}
    for name, step in GALLERY.items():
        step(window, scene)
        wrong = find_violations(window)
        for theme, (chosen, system) in THEMES.items():
            window.page.emulate_media(**system)
            window.page.evaluate(_DRESS, chosen)
            window.draw()
            wrong += [f"{theme}: {one}" for one in find_violations(window, "color-contrast")]
        if wrong:
            found[name] = wrong
        close_layers(window)
    assert found == {}
