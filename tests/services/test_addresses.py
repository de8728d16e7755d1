"""Whose address it is, and where the edge is."""

from __future__ import annotations

import pytest

from chat.settings import Address, Settings
from services.common.addresses import client_address, limit_key, websocket_url
from services.common.settings import select_settings
from tests.support.settings import make_settings


def scope(scheme: str = "http", client: tuple[str, int] | None = ("10.0.0.1", 9), **headers: str) -> dict[str, object]:
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http", "scheme": scheme, "client": client, "headers": pairs}


@pytest.mark.parametrize(
    ("header", "trusted", "expected"),
    [
        (None, True, "10.0.0.1"),
        ("1.2.3.4", False, "10.0.0.1"),
        ("1.2.3.4", True, "1.2.3.4"),
        ("9.9.9.9, 1.2.3.4", True, "1.2.3.4"),
        ("9.9.9.9,2001:db8::7", True, "2001:db8::7"),
        ("nonsense\xff", True, "10.0.0.1"),
        ("", True, "10.0.0.1"),
    ],
)
def test_only_the_last_hop_of_a_trusted_proxy_counts(header: str | None, trusted: bool, expected: str) -> None:
    given = scope() if header is None else scope(x_forwarded_for=header)
    assert client_address(given, trust_forwarded=trusted) == expected


def test_without_a_peer_the_address_is_unknown() -> None:
    assert client_address(scope(client=None), trust_forwarded=False) == "unknown"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("unknown", "unknown"),
    ],
)
def test_limits_count_a_subscriber_and_not_an_address(address: str, key: str) -> None:
    assert limit_key(address) == key


@pytest.mark.parametrize(
    ("given", "settings", "expected"),
    [
        (scope(), Settings(), "ws://127.0.0.1:8001/ws"),
        (scope(host="chat.example"), make_settings(ws=Address("::", 99)), "ws://chat.example:99/ws"),
        (scope("https", host="chat.example:443"), Settings(), "wss://chat.example:8001/ws"),
        (scope(host="a", x_forwarded_proto="https"), Settings(), "ws://a:8001/ws"),
        (scope(host="a", x_forwarded_proto="https"), make_settings(trust_forwarded=True), "wss://a:8001/ws"),
        (scope(host="a b"), Settings(), "ws://127.0.0.1:8001/ws"),
        (scope(host="a"), make_settings(ws_url="wss://edge.example/ws"), "wss://edge.example/ws"),
    ],
)
def test_the_edge_is_where_the_client_called(given: dict[str, object], settings: Settings, expected: str) -> None:
    assert websocket_url(given, select_settings(settings)) == expected
