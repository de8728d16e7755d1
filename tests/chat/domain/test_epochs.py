"""Whether what a client knows is still history. Each rule is one of `chat.domain.epochs`."""

from __future__ import annotations

import pytest

from chat.domain.epochs import Epoch, is_still_history

FIRST, SECOND = Epoch("one"), Epoch("two", restored=True)


@pytest.mark.parametrize(
    ("epoch", "named", "since", "still"),
    [
        (FIRST, "one", 10, True),
        (FIRST, None, 10, True),  # rule 3
        (FIRST, "another server's", 10, False),
        (SECOND, "two", 10, True),
        (SECOND, "one", 10, False),  # rule 2
        (SECOND, None, 10, False),
        (SECOND, "one", 0, True),  # rule 1
        (SECOND, None, 0, True),
        (FIRST, "", 10, False),
    ],
)
def test_what_is_still_history(epoch: Epoch, named: str | None, since: int, still: bool) -> None:
    assert is_still_history(epoch, named, since) is still
