"""What a handler returns when the command is not answered yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Final

COMMAND_SECONDS = 15.0
"""How long a command may take from when it is begun; one that waits for its turn has not begun."""
OUR_FAULT = "the command failed on our side; try again"

Later = Callable[[], Awaitable[None]]
"""What is left of the command: the session's task awaits it."""


class TakenIn(Enum):
    """The command waits in one of the node's intakes, which answers it together with those of other sessions, and then
    has the session carry on."""

    TAKEN_IN = "taken in"


TAKEN_IN: Final = TakenIn.TAKEN_IN
