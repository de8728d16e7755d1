"""The log is written by a thread: a reader that stops reading stops nothing else."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from rookery.cli.log_format import JsonFormatter
from rookery.cli.stderr import DROPPED, LineWriter

PIPE_BYTES = 64 * 1024
DEADLINE = 60.0


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The two ends of a pipe, for reading and for writing."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def make_record(text: str) -> logging.LogRecord:
    return logging.LogRecord("rookery.test", logging.INFO, __file__, 1, text, (), None)


def finish(work: Callable[[], None]) -> bool:
    """Whether the work ends; in a thread, so that a test does not hang with what it tests."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(DEADLINE)
    return not thread.is_alive()


def read_until(reader: int, end: bytes) -> bytes:
    said = b""
    while end not in said:
        said += os.read(reader, PIPE_BYTES)
    return said


def count_dropped() -> float:
    (metric,) = DROPPED.collect()
    return metric.samples[0].value


def test_lines_come_in_order(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    handler = LineWriter(writer)
    for number in range(1000):
        handler.emit(make_record(f"line {number}"))
    handler.close()
    assert read_until(reader, b"line 999\n").decode().splitlines() == [f"line {number}" for number in range(1000)]


def test_nobody_reads_and_whoever_logs_goes_on(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    handler = LineWriter(writer, most_bytes=10_000)
    before = count_dropped()

    def log_much() -> None:
        for _ in range(1000):
            handler.emit(make_record("x" * 999))

    assert finish(log_much)
    dropped = count_dropped() - before
    written = 1000 - dropped
    assert 10 <= written <= (PIPE_BYTES + 10_000) / 1000 + 1

    said = b""
    while said.count(b"x\n") < written:
        said += os.read(reader, PIPE_BYTES)
    handler.emit(make_record("read again"))
    said += read_until(reader, b"read again\n")
    # Some are dropped before the thread has filled the pipe, and lines that follow it are written.
    noted = [int(count) for count in re.findall(rb"(\d+) lines were dropped: nobody read", said)]
    assert sum(noted) == dropped
    handler.close()


def test_the_end_does_not_wait_for_a_reader(pipe: tuple[int, int]) -> None:
    _, writer = pipe
    handler = LineWriter(writer)
    handler.emit(make_record("x" * 2 * PIPE_BYTES))
    assert finish(handler.close)


def test_a_reader_that_is_gone_harms_nobody() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    handler = LineWriter(writer)
    handler.emit(make_record("to nobody"))
    assert finish(handler.close)
    os.close(writer)


def test_a_full_disk_and_a_closed_descriptor_stop_nobody_and_lines_are_counted(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    for broken in (os.open("/dev/full", os.O_WRONLY), -1):
        before = count_dropped()
        handler = LineWriter(broken)
        for number in range(100):
            handler.emit(make_record(f"line {number}"))
        assert finish(handler.close)
        assert count_dropped() == before + 100
        if broken >= 0:
            os.close(broken)
    # A disk that has room again: the next lines are written, and say how many are missing.
    full = os.open("/dev/full", os.O_WRONLY)
    handler = LineWriter(full)
    handler.setFormatter(JsonFormatter())
    handler.emit(make_record("lost"))
    while handler._lines:
        time.sleep(0.001)
    os.dup2(writer, full)
    handler.emit(make_record("written"))
    handler.close()
    os.close(full)
    note, line = map(json.loads, read_until(reader, b'"written"}\n').splitlines())
    assert note["message"].startswith("1 lines were dropped")
    assert (note["level"], line["message"]) == ("warning", "written")


def test_a_descriptor_that_does_not_block_gets_all(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    handler = LineWriter(writer)
    handler.emit(make_record("x" * 3 * PIPE_BYTES))
    assert len(read_until(reader, b"\n")) == 3 * PIPE_BYTES + 1
    handler.close()


def test_an_entry_that_cannot_be_formatted_is_a_line(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    handler = LineWriter(writer)
    record = make_record("%d of %d")
    record.args = ("one",)
    handler.emit(record)
    handler.emit(make_record("half of a pair: \udc00"))
    handler.close()
    first, second = read_until(reader, b"pair: \\udc00\n").decode().splitlines()
    assert first == "an entry of rookery.test could not be formatted: '%d of %d'"
    assert second == "half of a pair: \\udc00"
