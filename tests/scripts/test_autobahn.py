"""How the report of Autobahn's suite is judged."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.lib.autobahn.__main__ import PARTS, describe, judge


def found(behaviour: str, code: int, close: str = "OK") -> dict[str, Any]:
    return {"behavior": behaviour, "behaviorClose": close, "remoteCloseCode": code}


@pytest.mark.parametrize(
    ("case", "result"),
    [
        ("1.1.1", found("OK", 1000)),
        ("6.4.2", found("NON-STRICT", 1007)),
        ("7.1.6", found("INFORMATIONAL", 1000, "INFORMATIONAL")),
        ("1.2.1", found("FAILED", 1003, "FAILED")),
        ("9.3.4", found("FAILED", 1008, "FAILED")),
        ("12.5.18", found("FAILED", 1003, "FAILED")),
        ("13.3.1", found("UNIMPLEMENTED", 1000)),
    ],
)
def test_a_case_that_behaves_or_fails_as_its_exemption_says_is_right(case: str, result: dict[str, Any]) -> None:
    assert judge({case: result}) == []


@pytest.mark.parametrize(
    ("case", "result", "line"),
    [
        ("1.1.1", found("FAILED", 1000), "1.1.1: FAILED, close OK"),
        ("7.3.1", found("OK", 1000, "UNCLEAN"), "7.3.1: OK, close UNCLEAN"),
        ("1.20.1", found("FAILED", 1003), "1.20.1: FAILED, close OK"),
        ("9.3.5", found("FAILED", 1008), "9.3.5: FAILED, close OK"),
        ("9.2.1", found("FAILED", 1011, "FAILED"), "9.2.1: closed with 1011, and not with 1003"),
        ("12.2.1", found("OK", 1000), "12.2.1 behaves well now; take it off the list in scripts/lib/autobahn"),
    ],
)
def test_every_other_case_is_a_line(case: str, result: dict[str, Any], line: str) -> None:
    (wrong,) = judge({case: result})
    assert wrong.startswith(line)


def test_the_lines_are_in_the_order_of_the_cases_and_counted() -> None:
    report = {case: found("FAILED", 1000) for case in ("10.1.1", "2.10", "2.9")} | {"1.2.1": found("FAILED", 1003)}
    wrong = judge(report)
    assert [line.partition(":")[0] for line in wrong] == ["2.9", "2.10", "10.1.1"]
    assert describe("limits", report, wrong) == "limits: 4 cases: 4 FAILED; 1 on the list of exceptions, 3 wrong"


def test_the_parts_are_the_whole_list() -> None:
    sections = [int(case.partition(".")[0]) for cases in PARTS.values() for case in cases]
    assert sorted(sections) == [1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13]
