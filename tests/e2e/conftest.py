"""Servers that the end-to-end tests share, and a real clock: processes live in real time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import servers_with
from tests.support.people import Person, Server, register
from tests.support.process import ServerProcess


@pytest.fixture(params=["asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """`websockets` is an asyncio library."""
    return request.param, {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module with `SERVERS = EVERY_SERVER` holds for all of them: its tests run against each."""
    servers = getattr(metafunc.module, "SERVERS", ())
    if servers and "server" in metafunc.fixturenames:
        metafunc.parametrize("server", servers, indirect=True, scope="module")


EVERY_SERVER = ("serve", pytest.param("roles", marks=pytest.mark.production))
"""One process on the embedded engines; roles in processes of their own, two edges among them, on real servers."""


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess | Cluster]:
    """One server, with the default settings but for registrations, for the tests of a module.

    Its parameter is one of `EVERY_SERVER`.
    """
    name = request.module.__name__.rpartition(".")[2]
    if getattr(request, "param", "serve") == "roles":
        roles = Cluster(f"{name}-roles", servers_with(), rate_limits="on", register_per_minute="100000")
        with roles.running() as cluster:
            yield cluster
            cluster.check()
        return
    data = tmp_path_factory.mktemp("data")
    with ServerProcess(name, data, register_per_minute="100000") as process:
        yield process
        assert process.alive, process.errors()[-5000:]
        process.check()


NewServer = Callable[..., ServerProcess]


@pytest.fixture
def new_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewServer]:
    """Starts a server of its own, with settings given as for the environment, as `auth_seconds="1"`."""
    started: list[ServerProcess] = []

    def start(**environment: str) -> ServerProcess:
        name = f"{request.node.name}-{len(started)}" if started else request.node.name
        process = ServerProcess(name, tmp_path / f"data{len(started)}", **environment)
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.kill()
    for process in started:
        process.check()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client that is not ours."""
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
async def ada(server: Server, http: httpx.AsyncClient) -> Person:
    """A user."""
    return await register(server, http)


@pytest.fixture
async def bob(server: Server, http: httpx.AsyncClient) -> Person:
    """Another user."""
    return await register(server, http)
