"""What is said of a report of Lighthouse."""

from __future__ import annotations

from typing import Any

from scripts.lib.lighthouse import SHOWN, describe, failing, scores


def make_report(*, contrast: float | None) -> dict[str, Any]:
    audits: dict[str, Any] = {name: {"score": 1, "displayValue": "1.2\xa0s", "title": name} for name in SHOWN}
    audits["color-contrast"] = {"score": contrast, "title": "Text stands out enough"}
    category = {"score": 0.976, "auditRefs": [{"id": "color-contrast"}]}
    names = ("performance", "accessibility", "best-practices")
    return {"categories": dict.fromkeys(names, category), "audits": audits}


def test_scores_are_of_a_hundred() -> None:
    assert scores(make_report(contrast=1)) == {"performance": 98, "accessibility": 98, "best-practices": 98}


def test_a_line_has_the_scores_the_times_and_the_load() -> None:
    line = describe(make_report(contrast=1))
    assert line.startswith("performance 98, accessibility 98, best-practices 98, first paint 1.2 s, ")
    assert "; load " in line


def test_what_fails_is_named_and_what_does_not_apply_is_not() -> None:
    assert failing(make_report(contrast=0)) == ["color-contrast: Text stands out enough"]
    assert failing(make_report(contrast=None)) == failing(make_report(contrast=1)) == []
