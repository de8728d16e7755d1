"""Lines for standard error, written by a thread: whoever does not read them cannot stop the process.

A terminal that is paused, or a log driver that is stuck, takes 64 KiB; the next write waits until somebody reads.

Rule 1: `emit` never waits for the reader, so the event loop may log.
Rule 2: lines that wait are bounded in bytes; what comes above that is dropped and counted, and the older lines stay.
    A line that cannot be written, as on a full disk, is counted, too.
Rule 3: when lines can be written again, a line says how many are missing at that place.
Rule 4: at the end, lines that wait have a bounded time to be written.
"""

from __future__ import annotations

import logging
import os
import select
import threading
from collections import deque

from prometheus_client import Counter

MOST_BYTES = 1024 * 1024
_CLOSE_SECONDS = 2.0
_PIECE = 64 * 1024
_WHY = "nobody read standard error, or it could not be written"

DROPPED = Counter("rookery_stderr_dropped", "Log lines that nobody read, or that could not be written", registry=None)


class LineWriter(logging.Handler):
    """Writes each entry as a line to a file descriptor, in the order of the calls, from a thread of its own."""

    def __init__(self, fd: int = 2, *, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self._fd = fd
        self._most_bytes = most_bytes
        self._lines: deque[tuple[bytes, int]] = deque()  # and how many lines a note stands for; 0 for an entry
        self._bytes = 0
        self._dropped = 0
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write_lines, name="stderr", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the entry's line; never blocks."""
        try:
            line = (self.format(record) + "\n").encode(errors="backslashreplace")
        except Exception:  # noqa: BLE001 - what cannot be formatted must not harm who logs it
            line = f"an entry of {record.name} could not be formatted: {record.msg!r:.200}\n".encode()
        with self._changed:  # held for moments only, never while the thread writes: rule 1
            if self._bytes + len(line) > self._most_bytes:  # rule 2
                self._dropped += 1
                DROPPED.inc()
                return
            if self._dropped:
                self._add_line(self._note_dropped(), self._dropped)  # rule 3
                self._dropped = 0
            self._add_line(line)
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, for two seconds at most. What comes later is not written."""
        with self._changed:
            if self._dropped:
                self._add_line(self._note_dropped(), self._dropped)
                self._dropped = 0
            self._closing = True
            self._changed.notify()
        self._thread.join(_CLOSE_SECONDS)  # rule 4
        super().close()

    def _note_dropped(self) -> bytes:
        """A line that says how many are missing, in the format of the others (rule 3)."""
        text = f"{self._dropped} lines were dropped: {_WHY}"
        note = logging.LogRecord("rookery", logging.WARNING, "", 0, text, None, None)
        return (self.format(note) + "\n").encode()

    def _add_line(self, line: bytes, missing: int = 0) -> None:
        self._lines.append((line, missing))
        self._bytes += len(line)

    def _write_lines(self) -> None:
        while True:
            with self._changed:
                while not self._lines and not self._closing:
                    self._changed.wait()
                if not self._lines:
                    return
                line, missing = self._lines[0]
            failed = False
            try:
                _write_all(self._fd, line)
            except OSError:  # the disk is full, or standard error was closed
                failed = True
            with self._changed:
                self._lines.popleft()
                self._bytes -= len(line)
                if failed:  # rule 2
                    self._dropped += missing or 1
                    DROPPED.inc(0 if missing else 1)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view[:_PIECE]) :]
        except BlockingIOError:  # whoever shares the descriptor made it non-blocking
            select.select([], [fd], [])
