"""Every server with every client, on every event loop."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chat.settings import Binding, RpcSettings
from tests.support.http_server import REAL_CLOCKS
from tests.support.patience import patient
from tests.support.rpc import BINDINGS, Clients, Served, connected, serving


@pytest.fixture(params=REAL_CLOCKS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Real sockets need real clocks."""
    return REAL_CLOCKS[request.param]


@pytest.fixture(autouse=True)
def grpcio_apart(request: pytest.FixtureRequest) -> None:
    """See `ended_loops_ignored`."""
    if request.node.get_closest_marker("anyio"):
        request.getfixturevalue("ended_loops_ignored")


@pytest.fixture
async def ended_loops_ignored(anyio_backend: Any) -> AsyncIterator[None]:
    """grpcio has one poller for all event loops of a process, and any of them may be woken to hand on what came for
    another one. If that is the loop of an earlier test, it is closed, which is no failure of this test."""
    if anyio_backend[0] != "asyncio":
        yield
        return
    loop = asyncio.get_running_loop()
    handle = loop.get_exception_handler()
    assert handle is not None  # that of AnyIO, which lets the test fail

    def handle_others(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not is_of_ended_loop(context.get("exception")):
            handle(loop, context)

    loop.set_exception_handler(handle_others)
    yield
    loop.set_exception_handler(handle)


def is_of_ended_loop(error: BaseException | None) -> bool:
    """Whether grpcio's poller met a loop that is closed."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else ()
    return str(error) == "Event loop is closed" and any("_handle_events" in frame.name for frame in frames)


@pytest.fixture(params=BINDINGS, ids=lambda name: f"{name}-server")
def server_binding(request: pytest.FixtureRequest) -> Binding:
    binding: Binding = request.param
    return binding


@pytest.fixture(params=BINDINGS, ids=lambda name: f"{name}-client")
def client_binding(request: pytest.FixtureRequest) -> Binding:
    binding: Binding = request.param
    return binding


@pytest.fixture
async def served(anyio_backend: Any, server_binding: Binding) -> AsyncIterator[Served]:
    """A server that asks for the roles' token."""
    async with serving(RpcSettings(binding=server_binding, token="of-the-roles", max_bytes=200_000)) as running:
        yield running


@pytest.fixture
async def clients(served: Served, client_binding: Binding) -> AsyncIterator[Clients]:
    """Clients that have it."""
    options = RpcSettings(binding=client_binding, token="of-the-roles", deadline_seconds=patient(60), max_bytes=200_000)
    async with connected(served.address, options) as opened:
        yield opened
