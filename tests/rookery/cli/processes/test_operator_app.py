"""The health of several processes as one, whatever each of them answers."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
from anyio.abc import Listener, SocketAttribute, SocketStream

from chat.settings import Address
from rookery.cli.processes.operator_app import make_operator_app
from rookery.cli.processes.supervisor import Run, Supervisor
from tests.support.patience import patient

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]
READY = b'HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n{"ready":true,"engines":{"a":1}}'
CROWDED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
"""What a process answers that has too many connections (`services.common.server`)."""


class ServingChild:
    """A process that serves HTTP there."""

    def __init__(self, address: Address) -> None:
        self.ready = anyio.Event()
        self.ready.set()
        self.address: Address | None = address

    async def run(self) -> int:
        return 0

    def send_signal(self, signum: int) -> None:
        pass

    async def release_socket(self) -> None:
        pass


async def answer_always(listener: Listener[SocketStream], answer: bytes) -> None:
    async def reply(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(answer)

    async with listener:
        await listener.serve(reply)


@asynccontextmanager
async def serve_answers(*answers: bytes) -> AsyncIterator[Supervisor]:
    """A supervisor of so many processes, each of which always answers the same."""
    supervisor = Supervisor(
        [socket.socket() for _ in answers],
        bind=socket.socket,
        make_child=lambda _number, _listener: ServingChild(Address("127.0.0.1", 1)),
        grace_seconds=1,
    )
    async with anyio.create_task_group() as tasks:
        for place, answer in zip(supervisor.places, answers, strict=True):
            listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
            address: tuple[str, int] = listener.extra_attributes[SocketAttribute.local_address]()
            place.run = Run(ServingChild(Address(*address)))
            tasks.start_soon(answer_always, listener, answer)
        yield supervisor
        tasks.cancel_scope.cancel()
    for place in supervisor.places:
        place.close_listener()


async def ask_readiness(supervisor: Supervisor) -> httpx.Response:
    transport = httpx.ASGITransport(make_operator_app(supervisor, []))
    async with httpx.AsyncClient(transport=transport, base_url="http://supervisor") as client:
        with anyio.fail_after(patient(10)):
            return await client.get("/readyz")


async def test_a_process_that_refuses_the_question_is_not_ready() -> None:
    async with serve_answers(READY, CROWDED) as supervisor:
        answer = await ask_readiness(supervisor)
    assert answer.status_code == 503
    assert answer.json()["processes"] == {
        "0": {"state": "ready", "ready": True, "engines": {"a": 1}},
        "1": {"state": "ready", "ready": False},
    }


async def test_all_are_ready_when_each_is() -> None:
    async with serve_answers(READY, READY) as supervisor:
        answer = await ask_readiness(supervisor)
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
