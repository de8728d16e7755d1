"""Every server with every client, on every event loop."""

from __future__ import annotations

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
