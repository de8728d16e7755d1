"""What does serving an HTTP request cost in our driver of hypercorn's protocols, against hypercorn's own and anycorn's?

CPU of the server's process for each request, on uvloop, over connections that are kept open: a GET of 11 bytes, and a
POST with a body of 1,000. The application answers at once and does nothing else, so this is the price of the server
alone. Each rival is a process of its own on one core; they take turns. `anycorn` is no dependency of Rookery: it is
measured when it is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio

from chat.settings import Address
from perf.measure import read_process_cpu
from perf.served import CLIENT_CORE, SERVER_CORE
from services.common.connection import Timeouts
from services.common.server import serve_http

RIVALS = ("hypercorn", "ours", "anycorn")
BEFORE = "before"
CONNECTIONS = 16
IDLE_SECONDS = 600.0
MOST_REQUESTS = 900  # after 1,000, the server closes a connection
REQUESTS = {
    "GET": b"GET /healthz HTTP/1.1\r\nHost: rookery.example\r\nUser-Agent: perf\r\nAccept: */*\r\n\r\n",
    "POST": b"POST /api HTTP/1.1\r\nHost: rookery.example\r\nUser-Agent: perf\r\nAccept: */*\r\n"
    b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000,
}
ANSWER = b"hello world"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, and answers."""
    if scope["type"] != "http":
        raise ValueError(f"no {scope['type']} here")  # a server goes on without the lifespan
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", str(len(ANSWER)).encode()), (b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


async def serve_ours(port: int) -> None:
    """`services.common.server`, as the services use it."""
    await serve_http(
        application,
        Address("127.0.0.1", port),
        shutdown=anyio.sleep_forever,
        timeouts=Timeouts(IDLE_SECONDS, IDLE_SECONDS),
    )


async def serve_theirs(module: str, port: int) -> None:
    """The rival's own driver, without logs, as ours is measured."""
    config = importlib.import_module(f"{module}.config").Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.accesslog = config.errorlog = None
    config.keep_alive_max_requests = 10**9
    config.keep_alive_timeout = IDLE_SECONDS
    package: Any = importlib.import_module("anycorn" if module == "anycorn" else f"{module}.asyncio")
    await package.serve(application, config, shutdown_trigger=anyio.sleep_forever)


def run_server(rival: str, port: int) -> None:
    """Until the process is ended."""
    work = serve_ours if rival == "ours" else lambda number: serve_theirs(rival, number)
    anyio.run(work, port, backend_options={"use_uvloop": True})


class Server:
    """One rival's process."""

    def __init__(self, rival: str, port: int, folder: Path | None) -> None:
        self.port = port
        served = "ours" if rival == BEFORE else rival
        command = [sys.executable, "-m", "perf.rest", "--serve", served, "--port", str(port)]
        cwd = folder if rival == BEFORE else None
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=cwd)
        os.sched_setaffinity(self.process.pid, {SERVER_CORE} if (os.cpu_count() or 1) > 1 else {0})

    def read_cpu(self) -> float:
        """Seconds of CPU; see `read_process_cpu`."""
        return read_process_cpu(self.process.pid)

    async def connect(self) -> anyio.abc.SocketStream:
        """A connection, as soon as the process accepts one."""
        with anyio.fail_after(20):
            while True:
                with contextlib.suppress(OSError):
                    return await anyio.connect_tcp("127.0.0.1", self.port)
                await anyio.sleep(0.05)

    async def measure_cost(self, request: bytes, n: int) -> float:
        """Microseconds of the server's CPU for each request, of `n` on new connections, which are open before."""
        streams = [await self.connect() for _ in range(CONNECTIONS)]
        each = min(n // CONNECTIONS, MOST_REQUESTS)
        begun = self.read_cpu()
        async with anyio.create_task_group() as tasks:
            for stream in streams:
                tasks.start_soon(send_requests, stream, request, each)
        cost = (self.read_cpu() - begun) / (each * CONNECTIONS) * 1e6
        for stream in streams:
            await stream.aclose()
        return cost


async def send_requests(stream: anyio.abc.SocketStream, request: bytes, n: int) -> None:
    """One after the other; each answer is read to its end."""
    for _ in range(n):
        await stream.send(request)
        answer = b""
        while not answer.endswith(ANSWER):
            answer += await stream.receive()


@contextlib.contextmanager
def running_servers(rivals: list[str], first_port: int, folder: Path | None) -> Iterator[dict[str, Server]]:
    """A process for each rival."""
    servers = {rival: Server(rival, first_port + number, folder) for number, rival in enumerate(rivals)}
    try:
        yield servers
    finally:
        for server in servers.values():
            server.process.terminate()
            server.process.wait(10)


async def measure_rivals(servers: dict[str, Server], n: int, rounds: int) -> None:
    """Print each rival's cost, and the median of its ratios to the first one, round by round."""
    for kind, request in REQUESTS.items():
        samples: dict[str, list[float]] = {rival: [] for rival in servers}
        for server in servers.values():
            await server.measure_cost(request, n // 10)
        for _ in range(rounds):
            for rival, server in servers.items():
                samples[rival].append(await server.measure_cost(request, n))
        baseline = next(iter(samples.values()))
        for rival, taken in samples.items():
            ratio = statistics.median(own / other for own, other in zip(taken, baseline, strict=True))
            print(f"{kind:<5} {rival:<10} {ratio:6.2f} x   {statistics.median(taken):8.1f} us")


def main() -> None:
    """Measure, or serve for a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=8_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=28_431, help="the first of as many as there are rivals")
    parser.add_argument("--before", type=Path, help="the folder of another state of this repository, to compare with")
    parser.add_argument("--serve", choices=RIVALS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        run_server(arguments.serve, arguments.port)
        return
    rivals = [rival for rival in RIVALS if rival == "ours" or importlib.util.find_spec(rival)]
    if arguments.before is not None:
        rivals.insert(0, BEFORE)  # then ratios are to it
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {CLIENT_CORE})
    with running_servers(rivals, arguments.port, arguments.before) as servers:
        anyio.run(measure_rivals, servers, arguments.requests, arguments.rounds, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
