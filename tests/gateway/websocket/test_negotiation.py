"""Offers of permessage-deflate (RFC 7692, section 7.1): which are accepted, and with what answer."""

from __future__ import annotations

import pytest

from gateway.websocket.negotiation import PerMessageDeflate

FORCED = "client_no_context_takeover; server_no_context_takeover"


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        ("", ""),
        ("; client_no_context_takeover", ""),
        ("; server_no_context_takeover; client_no_context_takeover", ""),
        ("; client_max_window_bits", "; client_max_window_bits=15"),
        ("; client_max_window_bits=10", "; client_max_window_bits=10"),
        ('; client_max_window_bits="10"', "; client_max_window_bits=10"),
        ("; server_max_window_bits=15", "; server_max_window_bits=15"),
        (
            " ; server_max_window_bits = 12 ; client_max_window_bits=12",
            "; client_max_window_bits=12; server_max_window_bits=12",
        ),
    ],
)
def test_offers_that_will_do(offer: str, answer: str) -> None:
    extension = PerMessageDeflate()
    assert extension.accept(f"permessage-deflate{offer}") == FORCED + answer
    assert extension.enabled()
    assert extension.accept("permessage-deflate") is None


@pytest.mark.parametrize(
    "offer",
    [
        "server_max_window_bits=11",
        "server_max_window_bits=16",
        "server_max_window_bits=7",
        "server_max_window_bits",
        "server_max_window_bits=",
        "server_max_window_bits=012",
        "server_max_window_bits=many",
        "client_max_window_bits=",
        "client_max_window_bits=8",
        "client_max_window_bits=16",
        "client_max_window_bits=-10",
        "client_max_window_bits=1٢",
        "client_no_context_takeover=1",
        "client_no_context_takeover; client_no_context_takeover",
        "client_no_context_takeovers",
        "unknown",
        "",
        "=",
        '"',
    ],
)
def test_offers_that_are_declined(offer: str) -> None:
    extension = PerMessageDeflate()
    assert extension.accept(f"permessage-deflate; {offer}") is None
    assert not extension.enabled()
    assert extension.accept("permessage-deflate") == FORCED
