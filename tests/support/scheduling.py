"""Which worker gets which file of tests, when all run: the first takes those that wait, the second those that compute.

Tests of real processes mostly wait, and a machine that runs two files of them at once is slow for both. So files stand
in a row: first those of real processes, the long ones first; then the others, the short ones first. The first worker
takes from the head of the row, the second from its end, and so on. They meet at short files, so both end at about the
same time.
"""

from __future__ import annotations

from collections import Counter

import pytest

#: Those of real processes, the longest first; what is marked `slow` and not among them comes after these.
_LONG = ("tests/faults/", "tests/e2e/browser/", "tests/web/test_modules.py", "tests/ops/", "tests/e2e/")


def line_up(items: list[pytest.Item]) -> None:
    """Sort tests by the place of their file in the row; the tests of a file keep their order."""
    sizes = Counter(_file_of(item) for item in items)
    slow = {_file_of(item) for item in items if item.get_closest_marker("slow")}

    def place(item: pytest.Item) -> tuple[int, int, str]:
        file = _file_of(item)
        rank = next((rank for rank, path in enumerate(_LONG) if file.startswith(path)), len(_LONG))
        if rank == len(_LONG) and file not in slow:
            return rank + 1, sizes[file], file
        return rank, -sizes[file], file

    items.sort(key=place)


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
