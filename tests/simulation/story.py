"""What happened in a run, in order: a readable timeline, and a digest that tells two runs apart."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import trio

BROKEN = "BROKEN"


class Line(NamedTuple):
    """Something that happened at `time` (virtual seconds) to `who`."""

    time: float
    who: str
    what: str

    def __str__(self) -> str:
        mark = "***" if self.what.startswith(BROKEN) else "   "
        return f"{mark} {self.time:9.4f}  {self.who:<10} {self.what}"


class Story:
    """The lines of a run, and the promises that were broken. Every process and client adds what it does and sees."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.broken: list[str] = []
        self.names: dict[str, str] = {}
        self._end: Callable[[], None] | None = None
        self._over = False

    def name(self, key: str) -> str:
        """How the story names a conversation, a channel, a message."""
        return self.names.get(key, key)

    @property
    def step(self) -> int:
        """How far the story is: of two moments, the later one has the greater step."""
        return len(self.lines)

    def tell(self, who: str, what: str) -> int:
        """Add a line. Its step."""
        if not self._over:
            self.lines.append(Line(trio.current_time(), who, what))
        return len(self.lines)

    def accuse(self, who: str, what: str) -> None:
        """Note that a promise was broken."""
        if self._over:
            return
        self.broken.append(f"{who}: {what}")
        self.tell(who, f"{BROKEN}: {what}")
        if self._end is not None:
            self._over = True
            self._end()

    def end_when_broken(self, end: Callable[[], None]) -> None:
        """Call `end` at the first broken promise; the story stops there."""
        self._end = end

    def digest(self) -> str:
        """A digest of all lines: equal if the same happened at the same times."""
        told = "\n".join(f"{line.time!r} {line.who} {line.what}" for line in self.lines)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def timeline(self) -> Iterator[str]:
        """All lines; those about broken promises stand out."""
        return map(str, self.lines)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Watch what the system logs: an error is a broken promise, as the system must expect every fault."""
        ears = _Ears(self)
        loggers = [logging.getLogger(package) for package in ("chat", "gateway", "workers")]
        for logger in loggers:
            logger.addHandler(ears)
            logger.propagate = False
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(ears)
                logger.propagate = True


class _Ears(logging.Handler):
    def __init__(self, story: Story) -> None:
        super().__init__()
        self._story = story
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self._story.accuse("log", self.format(record))
