"""The edge of a process: where it listens, and what is said when it cannot."""

from __future__ import annotations

import logging

import pytest

from chat.settings import Address, EdgeSettings, SettingsError
from rookery.cli.edge_parts import bind_edge, warn_of_unreachable_edge
from tests.support.settings import make_settings


def test_an_address_of_the_edge_that_is_taken_is_named() -> None:
    with bind_edge(EdgeSettings(address=Address("127.0.0.1", 0))) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(SettingsError, match=f"ws={address}: cannot listen there"):
            bind_edge(EdgeSettings(address=address))


ALL = "0.0.0.0"  # noqa: S104 - nothing is bound there


@pytest.mark.parametrize(
    ("http", "ws", "warned"),
    [
        (ALL, "127.0.0.1", True),
        ("::", "::1", True),
        ("192.0.2.1", "localhost", True),
        ("chat.example", "127.0.0.1", True),
        (ALL, ALL, False),
        ("127.0.0.1", "127.0.0.1", False),
        ("127.0.0.1", ALL, False),
        ("localhost", "127.0.0.1", False),
    ],
)
def test_a_page_that_is_reached_where_its_edge_is_not_is_warned_of(
    http: str, ws: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    settings = make_settings(http=Address(http, 8000), ws=Address(ws, 8001))
    warn_of_unreachable_edge(settings)
    assert ("the page will not connect there" in caplog.text) == warned
    caplog.clear()
    warn_of_unreachable_edge(make_settings(settings, ws_url="wss://chat.example/ws"))
    assert caplog.text == ""
