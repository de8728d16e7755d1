"""Wrong arguments of commands: a line that says what to give, exit code 2, and nothing was done."""

from __future__ import annotations

import pytest

from rookery.cli.parser import make_parser

NOT_UTF8 = "\udcff\udcfe"
ROOM = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("days", ["nan", "inf", "-inf", "-1", "0", "1e300", "1e9", "x", ""])
@pytest.mark.parametrize("command", [("user", "block", "ada"), ("invitation", "create", ROOM, "--by", "ada")])
def test_days_have_bounds(command: tuple[str, ...], days: str, capsys: pytest.CaptureFixture[str]) -> None:
    check_refused(["admin", *command, f"--days={days}"], "--days: give a number of days above 0", capsys)


@pytest.mark.parametrize("number", ["-1", "0", "9223372036854775808", "9" * 5000, "1.5", "x", "", "٣"])
@pytest.mark.parametrize(
    ("command", "flag"),
    [
        (("user", "list"), "--limit"),
        (("room", "list"), "--limit"),
        (("room", "members", ROOM), "--limit"),
        (("audit",), "--limit"),
        (("invitation", "create", ROOM, "--by", "ada"), "--uses"),
    ],
)
def test_numbers_have_bounds(
    command: tuple[str, ...], flag: str, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check_refused(["admin", *command, f"{flag}={number}"], f"{flag}: give a whole number from 1 to 10000", capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "show", NOT_UTF8),
        ("user", "block", "ada", "--reason", NOT_UTF8),
        ("user", "list", "--prefix", NOT_UTF8),
        ("user", "list", "--after", NOT_UTF8),
        ("user", "create", "ada", "--email", f"{NOT_UTF8}@example.org"),
        ("session", "end", "ada", NOT_UTF8),
        ("room", "show", NOT_UTF8),
        ("room", "set-owner", ROOM, NOT_UTF8),
        ("invitation", "create", ROOM, "--by", NOT_UTF8),
        ("invitation", "end", ROOM, NOT_UTF8),
        ("audit", "--user", NOT_UTF8),
        ("audit", "--before", NOT_UTF8),
    ],
)
def test_texts_are_utf8(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    check_refused(["admin", *arguments], "give text in UTF-8", capsys)
    check_refused(["admin", *(each.replace(NOT_UTF8, "a\0b") for each in arguments)], "leave the NUL", capsys)


def test_what_is_within_the_bounds_is_taken() -> None:
    options = make_parser().parse_args(["admin", "user", "block", "оля", "--days", "0.5", "--reason", "спам"])
    assert (options.name, options.days, options.reason) == ("оля", 0.5, "спам")
    assert make_parser().parse_args(["admin", "audit", "--limit", "10000"]).limit == 10_000


def check_refused(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        make_parser().parse_args(arguments)
    assert end.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert says in said[-1]
    assert said[-1].startswith("rookery admin")
