"""Where requests to other people's servers may connect to."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chat.adapters.outbound.addresses import AddressGuard, is_public, look_up_host
from chat.errors import Forbidden, Unavailable

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808"],
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",  # noqa: S104 - this machine, for some systems
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::1",
        "2002:a00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "localhost",
        "",
    ],
)
def test_any_other_address_is_not(address: str) -> None:
    assert not is_public(address)


def guard_of(addresses: Sequence[str], *, admitted: Sequence[str] = (), private: bool = False) -> AddressGuard:
    async def look_up(host: str, port: int) -> Sequence[str]:
        return addresses

    return AddressGuard(admitted=admitted, private=private, look_up=look_up)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "169.254.169.254", "::ffff:10.0.0.1"])
async def test_a_name_that_leads_into_the_network_is_refused(address: str) -> None:
    with pytest.raises(Forbidden):
        await guard_of([address]).find_addresses("push.example.org", 443)


async def test_of_several_addresses_the_public_ones_are_taken() -> None:
    guard = guard_of(["127.0.0.1", "8.8.8.8", "10.0.0.1", "2001:4860:4860::8888"])
    assert await guard.find_addresses("push.example.org", 443) == ["8.8.8.8", "2001:4860:4860::8888"]


async def test_what_the_operator_admits_may_lead_anywhere() -> None:
    admitting = guard_of(["127.0.0.1"], admitted=["127.0.0.1:9000"])
    assert await admitting.find_addresses("127.0.0.1", 9000) == ["127.0.0.1"]
    with pytest.raises(Forbidden):
        await admitting.find_addresses("127.0.0.1", 9001)
    with pytest.raises(Forbidden):
        await admitting.find_addresses("push.example.org", 9000)
    assert await guard_of(["10.0.0.1"], private=True).find_addresses("hooks.internal", 80) == ["10.0.0.1"]


async def test_a_host_that_cannot_be_looked_up_is_tried_again_later() -> None:
    async def look_up(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(Unavailable):
        await AddressGuard(look_up=look_up).find_addresses("push.example.org", 443)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_resolver_of_the_system_gives_addresses() -> None:
    assert await look_up_host("127.0.0.1", 80) == ["127.0.0.1"]
