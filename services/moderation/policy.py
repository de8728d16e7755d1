"""What repeated removals lead to: a timed block, a longer one, one for ever."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated

from msgspec import Meta, Struct

from chat.domain.cases import Tally
from chat.domain.moderation import longer_block

_UNITS = {"m": 60, "h": 3600, "d": 24 * 3600}
_LONGEST = 10 * 365 * 24 * 3600


class StepFile(Struct, forbid_unknown_fields=True):
    """A step as it is written: `block` is a number with `m`, `h` or `d`, or `forever`."""

    removals: Annotated[int, Meta(ge=1, le=10_000)]
    block: str


class PolicyFile(Struct, forbid_unknown_fields=True):
    """`[policy]` as it is written."""

    step: list[StepFile] = []
    window: str = "30d"
    verdict_block: str = "7d"


class Step(Struct, frozen=True):
    """From so many removals on, a block of so many seconds; None is for ever."""

    removals: int
    seconds: int | None


class Policy(Struct, frozen=True):
    """Steps by rising removals, which are counted over a window of seconds.

    `verdict_seconds` is how long the verdict `block` of a rule blocks, unless the removals lead to more.
    """

    steps: tuple[Step, ...] = ()
    window_s: int = 30 * 24 * 3600
    verdict_seconds: int | None = 7 * 24 * 3600

    def leads_to_block(self, tally: Tally) -> bool:
        """Whether so many removals lead to a block."""
        return self._find_step(tally) is not None

    def block_seconds(self, tally: Tally) -> int | None:
        """How long to block after these removals, in seconds; None is for ever."""
        step = self._find_step(tally)
        if step is None:
            return self.verdict_seconds
        return longer_block(self.verdict_seconds, step.seconds) if tally.blocking else step.seconds

    def _find_step(self, tally: Tally) -> Step | None:
        reached = [step for step in self.steps if step.removals <= tally.removals]
        return reached[-1] if reached else None


def read_policy(raw: PolicyFile) -> Policy:
    """The policy, checked. Raises `ValueError`."""
    steps = tuple(Step(step.removals, _parse_seconds(step.block)) for step in raw.step)
    for before, after in pairwise(steps):
        if after.removals <= before.removals or before.seconds is None:
            raise ValueError("each step needs more removals than the one before, and none comes after `forever`")
    window = _parse_seconds(raw.window)
    if window is None:
        raise ValueError("`window` is a number with m, h or d, such as 30d")
    return Policy(steps, window, _parse_seconds(raw.verdict_block))


def _parse_seconds(text: str) -> int | None:
    if text == "forever":
        return None
    match = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if match is None or not 0 < int(match[1]) * _UNITS[match[2]] <= _LONGEST:
        raise ValueError(f"`{text[:20]}` is no time: give a number with m, h or d, such as 12h, or `forever`")
    return int(match[1]) * _UNITS[match[2]]
