"""Which tests coverage leaves out: what runs on both event loops is measured on the first of them, trio.

Tracing doubles the time of a test on embedded engines, and on the other loop the same test runs the same lines. What
runs on asyncio alone is measured there.

A module says `MEASURED = True` when it tests code that differs with the loop, and `MEASURED = False` when its tests
only repeat those of another.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

_MEASURED_ELSEWHERE = pytest.StashKey[bool]()


def note_repetitions(items: Iterable[pytest.Item]) -> None:
    """Remember of each test whether coverage sees its like: on trio among `items`, or in another module."""
    names = {item.nodeid for item in items}
    for item in items:
        function, _, parameters = item.nodeid.partition("[")
        first = f"{function}[{parameters.replace('asyncio', 'trio')}"
        is_second = first != item.nodeid and first in names
        item.stash[_MEASURED_ELSEWHERE] = not _read_choice(item, default=not is_second)


def _read_choice(item: pytest.Item, *, default: bool) -> bool:
    module = item.getparent(pytest.Module)
    return default if module is None else bool(getattr(module.obj, "MEASURED", default))


def is_measured_elsewhere(item: pytest.Item) -> bool:
    """Whether coverage need not see this test, as was noted."""
    return item.stash.get(_MEASURED_ELSEWHERE, False)


@contextmanager
def pause_coverage() -> Iterator[None]:
    """Let coverage see neither this thread nor those that begin meanwhile. A debugger goes on seeing them."""
    of_thread, of_threads = sys.gettrace(), threading.gettrace()
    if type(of_thread).__module__.partition(".")[0] != "coverage":
        yield
        return
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        threading.settrace(of_threads)
        sys.settrace(of_thread)
