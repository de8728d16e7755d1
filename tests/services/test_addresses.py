"""Whose address it is, and where the edge is."""

from __future__ import annotations

import pytest

from chat.settings import Address, HttpSettings, Settings
from services.common.addresses import client_address, limit_key, websocket_url
from services.common.settings import select_settings
from tests.support.settings import make_settings


def scope(scheme: str = "http", client: tuple[str, int] | None = ("10.0.0.1", 9), **headers: str) -> dict[str, object]:
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http", "scheme": scheme, "client": client, "headers": pairs}


TRUSTING = HttpSettings(trust_forwarded=True)
PROXIES = HttpSettings(trusted_proxies=("10.0.0.0/8", "2001:db8:ffff::1"))


@pytest.mark.parametrize(
    ("header", "http", "expected"),
    [
        (None, TRUSTING, "10.0.0.1"),
        ("1.2.3.4", HttpSettings(), "10.0.0.1"),
        ("1.2.3.4", TRUSTING, "1.2.3.4"),
        ("9.9.9.9, 1.2.3.4", TRUSTING, "1.2.3.4"),
        ("9.9.9.9,2001:db8::7", TRUSTING, "2001:db8::7"),
        ("nonsense\xff", TRUSTING, "10.0.0.1"),
        ("", TRUSTING, "10.0.0.1"),
        # With ports and brackets, as some balancers write them.
        ("203.0.113.7:49152", TRUSTING, "203.0.113.7"),
        ("[2001:db8::1]:443", TRUSTING, "2001:db8::1"),
        ("[2001:db8::1]", TRUSTING, "2001:db8::1"),
        (' "[2001:db8::1]:443" ', TRUSTING, "2001:db8::1"),
        ("2001:db8::1:443", TRUSTING, "2001:db8::1:443"),  # without brackets there is no port
        ("203.0.113.7:port", TRUSTING, "10.0.0.1"),
        ("300.0.113.7:1", TRUSTING, "10.0.0.1"),
        ("[2001:db8::1", TRUSTING, "10.0.0.1"),
        # Of a chain of proxies that are known by their addresses.
        ("1.2.3.4", PROXIES, "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 10.9.9.9:80, [2001:db8:ffff::1]:80", PROXIES, "1.2.3.4"),
        ("6.6.6.6, unknown, 10.9.9.9", PROXIES, "10.9.9.9"),
        ("10.1.1.1, 10.9.9.9", PROXIES, "10.1.1.1"),
    ],
)
def test_the_client_is_the_first_hop_from_the_right_that_is_no_proxy(
    header: str | None, http: HttpSettings, expected: str
) -> None:
    given = scope() if header is None else scope(x_forwarded_for=header)
    assert client_address(given, http) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("for=1.2.3.4", "1.2.3.4"),
        ('for="[2001:db8::1]:443";proto=https', "2001:db8::1"),
        ('For="1.2.3.4:99"; by=10.0.0.1 ;proto=https', "1.2.3.4"),
        ("for=6.6.6.6, for=1.2.3.4", "1.2.3.4"),
        ("for=_hidden", "10.0.0.1"),
        ("for=unknown", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
        ("for", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_standard_header_is_read_too(header: str, expected: str) -> None:
    assert client_address(scope(forwarded=header), TRUSTING) == expected
    assert client_address(scope(forwarded=header), HttpSettings()) == "10.0.0.1"
    assert client_address(scope(forwarded=header, x_forwarded_for="7.7.7.7"), TRUSTING) == "7.7.7.7"


def test_who_is_no_proxy_cannot_name_another_address() -> None:
    stranger = scope(client=("192.0.2.9", 9), x_forwarded_for="1.2.3.4", forwarded="for=1.2.3.4")
    assert client_address(stranger, PROXIES) == "192.0.2.9"
    both = HttpSettings(trusted_proxies=PROXIES.trusted_proxies, trust_forwarded=True)
    assert client_address(stranger, both) == "192.0.2.9"
    mapped = scope(client=("::ffff:10.0.0.1", 9), x_forwarded_for="1.2.3.4")
    assert client_address(mapped, PROXIES) == "1.2.3.4"


def test_an_ipv4_address_is_written_as_one() -> None:
    assert client_address(scope(client=("::ffff:192.0.2.9", 9)), HttpSettings()) == "192.0.2.9"


def test_without_a_peer_the_address_is_unknown() -> None:
    assert client_address(scope(client=None), HttpSettings()) == "unknown"


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
        (scope(host="a", forwarded="for=1.2.3.4;proto=https"), make_settings(trust_forwarded=True), "wss://a:8001/ws"),
        (scope(host="a b"), Settings(), "ws://127.0.0.1:8001/ws"),
        (scope(host="a"), make_settings(ws_url="wss://edge.example/ws"), "wss://edge.example/ws"),
    ],
)
def test_the_edge_is_where_the_client_called(given: dict[str, object], settings: Settings, expected: str) -> None:
    assert websocket_url(given, select_settings(settings)) == expected
