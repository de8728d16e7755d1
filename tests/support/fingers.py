"""What fingers do on a screen, by the browser's own events: a long press, and a swipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator

from tests.support.browser import Window

_STEPS = 8


@contextmanager
def _finger(window: Window, at: Locator) -> Iterator[Callable[[float], None]]:
    """A finger rests on the middle of this; it moves sideways by so many pixels from there."""
    box = at.bounding_box()
    assert box is not None, "nothing is there to be touched"
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tools = window.page.context.new_cdp_session(window.page)

    def touch(kind: str, *, by: float | None) -> None:
        points = [] if by is None else [{"x": x + by, "y": y}]
        tools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", by=0)
    yield lambda by: touch("touchMove", by=by)
    touch("touchEnd", by=None)
    tools.detach()


def press_long(window: Window, at: Locator, opens: Locator) -> None:
    """Hold a finger on `at` until this has opened."""
    at.scroll_into_view_if_needed()
    with _finger(window, at):
        opens.wait_for()


def swipe(window: Window, at: Locator, by: float) -> None:
    """Draw a finger over `at` sideways, by so many pixels, and let it rest there.

    A finger that is lifted while it moves flings, and the browser takes a tap right after that as the end of the fling.
    """
    at.scroll_into_view_if_needed()
    with _finger(window, at) as move:
        for step in range(1, _STEPS + 1):
            move(by * step / _STEPS)
        window.draw()
        move(by)
