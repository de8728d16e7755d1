"""The cases of Autobahn that Rookery fails on purpose, each with its reason."""

from __future__ import annotations

from typing import NamedTuple


class Exemption(NamedTuple):
    """Why a case may fail, and the code with which its connection is closed then: any other failure is a defect."""

    reason: str
    close_code: int


_BINARY = Exemption("it sends binary messages, and the protocol takes text alone", 1003)
_FRAGMENTS = Exemption("it sends a message in more than 1,024 fragments", 1008)
_WINDOW = Exemption("it offers compression with a window of 2^9 alone, and ours is 2^12: the offer is declined", 1000)

EXEMPTIONS: dict[str, Exemption] = {
    **dict.fromkeys(("1.2", "9.2", "9.6", "9.8", "12.2", "12.3", "12.5"), _BINARY),
    **dict.fromkeys(("9.4.5", "9.4.6", "9.4.7", "9.4.8", "9.4.9"), _BINARY),
    **dict.fromkeys(("9.3.1", "9.3.2", "9.3.3", "9.3.4", "9.4.1", "9.4.2", "9.4.3", "9.4.4"), _FRAGMENTS),
    **dict.fromkeys(("13.3", "13.5"), _WINDOW),
}
"""By the beginning of a case's number."""


def find_exemption(case: str) -> Exemption | None:
    """None when the case must not fail."""
    return next((found for begin, found in EXEMPTIONS.items() if f"{case}.".startswith(f"{begin}.")), None)
