"""The cases of Autobahn that Rookery fails on purpose, each with its reason."""

from __future__ import annotations

_TEXT_ONLY = "it sends binary messages, and the protocol takes text alone: they are refused with 1003"

EXCEPTIONS: dict[str, str] = dict.fromkeys(("1.2", "9.2", "9.4", "9.6", "9.8"), _TEXT_ONLY)
"""The beginning of a case's number → why."""


def find_reason(case: str) -> str | None:
    """Why this case may fail; None when it must not."""
    return next((why for begin, why in EXCEPTIONS.items() if f"{case}.".startswith(f"{begin}.")), None)
