"""Accepted connections wait by address, and each address has its turn."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import pytest

from services.common.accepting import AcceptedQueue

pytestmark = pytest.mark.anyio


@contextmanager
def sockets(count: int) -> Iterator[list[socket.socket]]:
    found = [socket.socket() for _ in range(count)]
    yield found
    for each in found:
        each.close()


def is_open(sock: socket.socket) -> bool:
    return sock.fileno() >= 0


async def test_addresses_take_turns() -> None:
    queue = AcceptedQueue(most=100, per_address=100)
    with sockets(8) as found:
        for sock, address in zip(found, "aaaaabbc", strict=True):
            queue.add_socket(sock, address)
        taken = [await queue.take_socket() for _ in found]
        assert "".join(address for _, address in taken) == "abcabaaa"
        assert [sock for sock, address in taken if address == "a"] == found[:5]
        assert len(queue) == 0


async def test_of_an_address_that_has_too_many_the_oldest_is_closed() -> None:
    queue = AcceptedQueue(most=100, per_address=2)
    with sockets(6) as found:
        for sock, address in zip(found, "aababb", strict=True):
            queue.add_socket(sock, address)
        assert [is_open(sock) for sock in found] == [False, True, False, True, True, True]
        assert len(queue) == 4


async def test_of_too_many_the_oldest_of_the_largest_address_is_closed() -> None:
    queue = AcceptedQueue(most=3, per_address=100)
    with sockets(6) as found:
        for sock, address in zip(found, ["", "", "a", "", "b", "c"], strict=True):
            queue.add_socket(sock, address)
        assert [is_open(sock) for sock in found] == [False, False, True, False, True, True]
        assert [address for _, address in [await queue.take_socket() for _ in range(3)]] == ["a", "b", "c"]


async def test_the_reader_waits_for_the_next_one() -> None:
    queue = AcceptedQueue(most=3, per_address=3)
    taken: list[str] = []

    async def take() -> None:
        taken.append((await queue.take_socket())[1])

    with sockets(1) as found:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take)
            await anyio.wait_all_tasks_blocked()
            queue.add_socket(found[0], "a")
    assert taken == ["a"]


async def test_closing_closes_all_that_wait() -> None:
    queue = AcceptedQueue(most=3, per_address=3)
    with sockets(2) as found:
        for sock in found:
            queue.add_socket(sock, "a")
        queue.close()
        assert not any(map(is_open, found))
        assert len(queue) == 0
