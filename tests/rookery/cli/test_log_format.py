"""Lines of the log: as JSON, with ids; and no exception's text in either format."""

from __future__ import annotations

import json
import logging
import sys
from contextvars import copy_context

import pytest

from rookery.cli.log_format import JsonFormatter, TextFormatter, make_formatter
from services.common.request_ids import begin_request, current_request

WRITTEN = "what a user wrote"


def make_record(text: str, *arguments: object, failed: bool = False) -> logging.LogRecord:
    info = sys.exc_info() if failed else None
    return logging.LogRecord("rookery.test", logging.WARNING, __file__, 1, text, arguments, info)


def fail(secret: str) -> None:
    try:
        int(secret)
    except ValueError as error:
        raise ExceptionGroup(secret, [KeyError(secret)]) from error


def test_a_line_is_an_object() -> None:
    line = json.loads(JsonFormatter().format(make_record('it "says"\n%s', "more \ud800")))
    assert line.pop("time").endswith("Z")
    assert line == {"level": "warning", "logger": "rookery.test", "message": 'it "says"\nmore ?'}


@pytest.mark.parametrize("name", ["text", "json"])
def test_no_text_of_an_exception_is_written(name: str) -> None:
    formatter = make_formatter("json" if name == "json" else "text")
    try:
        fail(WRITTEN)
    except ExceptionGroup:
        written = formatter.format(make_record("failed", failed=True))
    assert WRITTEN not in written
    for each in ("ValueError", "ExceptionGroup", "KeyError", "Traceback"):
        assert each in written


def test_an_exception_of_json_has_its_type_and_its_places() -> None:
    try:
        int("secret of a user")
    except ValueError:
        line = json.loads(JsonFormatter().format(make_record("failed", failed=True)))
    assert line["error"] == "ValueError"
    assert "test_log_format.py" in line["traceback"]
    assert line["traceback"].endswith("ValueError")


def test_an_exception_of_text_follows_its_line() -> None:
    try:
        int("x")
    except ValueError:
        written = TextFormatter().format(make_record("failed", failed=True))
    first, _, rest = written.partition("\n")
    assert first.endswith("WARNING rookery.test failed")
    assert rest.startswith("Traceback (most recent call last):\n")
    assert "invalid literal" not in written


def check_requests() -> None:
    brought = [(b"x-request-id", b"abc-1")]
    assert begin_request(brought, trusted=True) == "abc-1" == current_request()
    assert begin_request(brought, trusted=False) != "abc-1"
    for malformed in (b"", b"a b", b"x" * 65, b'"', b"a\n"):
        made = begin_request([(b"X-Request-Id", malformed)], trusted=True)
        assert len(made) == 16
    line = json.loads(JsonFormatter().format(make_record("x")))
    assert line["request"] == current_request()


def test_a_request_brings_its_id_only_through_a_trusted_proxy() -> None:
    copy_context().run(check_requests)


def test_a_line_says_the_number_of_the_process_where_it_has_one() -> None:
    assert json.loads(make_formatter("json", 2).format(make_record("hello")))["process"] == 2
    assert "process" not in json.loads(make_formatter("json").format(make_record("hello")))
    assert " WARNING [2] rookery.test hello" in make_formatter("text", 2).format(make_record("hello"))
    assert " WARNING rookery.test hello" in make_formatter("text").format(make_record("hello"))
