"""What the edge counts. They are plain numbers, so counting costs little; metrics read them when somebody asks.

Whatever becomes the value of a label is from a list that is known here: a client cannot make new ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from chat.domain.ids import now_ms
from chat.histograms import PlainHistogram
from chat.tracing import begin_span, end_span, is_tracing
from chat.wire.error_codes import ERROR_CODES

HANDSHAKE_RESULTS = (
    "accepted",
    "bad_request",
    "displaced",
    "headers_too_large",
    "http_version",
    "lost",
    "method_not_allowed",
    "not_found",
    "origin",
    "timeout",
    "unauthorized",
    "unavailable",
    "upgrade_required",
)
"""How a handshake can end: accepted, refused with this code, or closed before it was complete."""


class CommandTiming:
    """A command that is under way: its name, and since when. If its record was handed to the log: the topic, and when.

    Times are those of `time.perf_counter`. `span` is that of the command, while traces are on.
    """

    __slots__ = ("began", "error", "name", "produced", "span", "topic")

    def __init__(self, name: str) -> None:
        self.name = name
        self.topic = ""
        self.error: str | None = None
        self.span = begin_span(f"command {name}", "server") if is_tracing() else None
        self.began = self.produced = time.perf_counter()

    def note_produced(self, topic: str) -> None:
        """Its record is handed to the log."""
        self.topic = topic
        self.produced = time.perf_counter()


class Counters:
    """All since the start of the process. `clock` gives milliseconds since the epoch.

    `handshakes` are the handshakes that ended, by result; `displaced` was closed to make room for another. `errors` are
    the commands that failed, by the code of the answer. The histograms hold seconds: `command_seconds` by the command's
    name, from when it began to its answer; `produce_seconds` by topic, from when a record was handed to the log to its
    acknowledgement; `delivery_seconds` by kind of conversation, from when a message was sent (by the clock of the edge
    that took it) to when it was written to the sessions here.
    """

    __slots__ = (
        "_clock",
        "accepted",
        "closed",
        "command_seconds",
        "commands",
        "connections",
        "deliveries",
        "delivery_seconds",
        "errors",
        "handshakes",
        "live_dropped",
        "produce_seconds",
        "too_slow",
        "vanished",
    )

    def __init__(self, clock: Callable[[], int] = now_ms) -> None:
        self._clock = clock
        self.connections = 0
        self.commands = 0
        self.deliveries = 0
        self.accepted = 0
        self.live_dropped = 0
        self.too_slow = 0
        self.vanished = 0
        self.closed: dict[int, int] = {}
        self.handshakes = dict.fromkeys(HANDSHAKE_RESULTS, 0)
        self.errors = dict.fromkeys(ERROR_CODES, 0)
        self.command_seconds: dict[str, PlainHistogram] = {}
        self.produce_seconds: dict[str, PlainHistogram] = {}
        self.delivery_seconds: dict[str, PlainHistogram] = {}

    def count_close(self, code: int) -> None:
        """A close that this side began."""
        self.closed[code] = self.closed.get(code, 0) + 1

    def count_handshake(self, result: str) -> None:
        """A handshake has ended."""
        self.handshakes[result] += 1

    def count_error(self, code: str) -> None:
        """A command was answered with an error."""
        self.errors[code] = self.errors.get(code, 0) + 1

    def count_command(self, timing: CommandTiming, times: int = 1) -> None:
        """A command was answered, or so many that began together; where the log had a part in it, the log has answered
        for the record."""
        now = time.perf_counter()
        _count_seconds(self.command_seconds, timing.name, now - timing.began, times)
        if timing.topic:
            _count_seconds(self.produce_seconds, timing.topic, now - timing.produced)
        end_span(timing.span, timing.error)

    def count_delivered(self, kind: str, sent: Sequence[int]) -> None:
        """Messages that were sent at these times (milliseconds) were written to the sessions. `kind` is that of the
        conversation: `room` or `direct`."""
        now = self._clock()
        for each in sent:
            _count_seconds(self.delivery_seconds, kind, (now - each) / 1000)


def _count_seconds(histograms: dict[str, PlainHistogram], name: str, seconds: float, times: int = 1) -> None:
    histogram = histograms.get(name)
    if histogram is None:
        histogram = histograms[name] = PlainHistogram()
    histogram.count_value(seconds, times)
