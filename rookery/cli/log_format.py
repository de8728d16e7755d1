"""How lines of the log are written: as text, or as one JSON object a line.

Rule 1: an exception is written by its type and the places that it passed, and never by its text, which may quote what a
user wrote.
Rule 2: a line of JSON has `time`, `level`, `logger` and `message`; `request` within a REST request or a command that
failed; `trace` and `span` within a span; `error` and `traceback` of an exception; `process`, a number, of an edge that
runs beside others under one supervisor.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from typing import Any, Literal

import orjson

from chat.domain.ids import rfc3339
from chat.tracing import current_ids
from services.common.request_ids import current_request

_MOST_ERRORS = 10


class TextFormatter(logging.Formatter):
    """Time, level, name, text; before the name, the number of the process in brackets, if it has one."""

    def __init__(self, number: int | None = None) -> None:
        process = "" if number is None else f"[{number}] "
        super().__init__(f"%(asctime)s %(levelname)s {process}%(name)s %(message)s")

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the standard library's name
        return describe_exception(ei[1])  # rule 1


class JsonFormatter(logging.Formatter):
    """See rule 2."""

    def __init__(self, number: int | None = None) -> None:
        super().__init__()
        self._number = number

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, str] = {
            "time": rfc3339(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        request = getattr(record, "request", "") or current_request()
        if request:
            line["request"] = request
        ids = current_ids()
        if ids is not None:
            line["trace"], line["span"] = ids
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line["error"] = type(error).__name__
            line["traceback"] = describe_exception(error)
        text: dict[str, str | int] = {key: value.encode("utf-8", "replace").decode() for key, value in line.items()}
        if self._number is not None:
            text["process"] = self._number
        return orjson.dumps(text).decode()


def make_formatter(name: Literal["text", "json"], number: int | None = None) -> logging.Formatter:
    """The formatter that the setting names, of a process that has this number under its supervisor."""
    return JsonFormatter(number) if name == "json" else TextFormatter(number)


def describe_exception(error: BaseException | None) -> str:
    """The types of an exception and of those that led to it, the first one first, each with its places (rule 1)."""
    blocks = []
    for each in reversed(list(_list_chain(error))[:_MOST_ERRORS]):
        places = "".join(traceback.format_tb(each.__traceback__))
        blocks.append(f"Traceback (most recent call last):\n{places}{type(each).__qualname__}")
    return "\n".join(blocks)


def _list_chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for each in error.exceptions:
                yield from _list_chain(each)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
