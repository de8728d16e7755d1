"""What does a CheckToken over gRPC cost between two processes, in each binding, against the bare grpcio library?

CPU of both processes together for each call, on uvloop, 64 calls under way at a time. All rivals answer the same
message from a dictionary. The bare library has no deadline on the server, no check of fields, no counting, no trace and
no translation of errors; its messages are the same. Rivals take turns.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import grpc
import grpc.aio

from chat.adapters.rpc.authority import GrpcAuthority, auth_service
from chat.adapters.rpc.bindings import serve_rpc
from chat.ports.authority import Revocation, RoomAccess, TokenInfo
from chat.settings import Address, Binding, RpcSettings, parse_address
from perf.measure import pin, read_process_cpu
from perf.served import CLIENT_CORE, SERVER_CORE
from proto.auth.v1 import auth_pb2

PATH = "/rookery.auth.v1.AuthService/CheckToken"
TOKEN = "t" * 300
USER = "11111111-1111-4111-8111-111111111111"
INFO = TokenInfo(user=USER, name="ada", family=USER, expires=1_800_000_000.0)
BINDINGS: dict[str, Binding] = {"grpcio": "grpcio", "purerpc": "purerpc"}
RIVALS = ("bare", *BINDINGS)
CONCURRENCY = 64


class Tokens:
    """An `Authority` that knows one token."""

    async def check_token(self, token: str) -> TokenInfo:
        """From a dictionary."""
        return {TOKEN: INFO}[token]

    async def check_tokens(self, tokens: Sequence[str]) -> Sequence[TokenInfo]:
        """From the same."""
        return [await self.check_token(token) for token in tokens]

    async def room_access(self, pairs: Sequence[tuple[str, str]]) -> Sequence[RoomAccess]:
        """Nobody has a role."""
        return [RoomAccess(user=user, room=room, role=None, actions=frozenset()) for user, room in pairs]

    def watch_revocations(self) -> AbstractAsyncContextManager[AsyncIterator[Revocation]]:
        """Nothing is ever revoked."""
        return _silence()


@asynccontextmanager
async def _silence() -> AsyncIterator[AsyncIterator[Revocation]]:
    send, receive = anyio.create_memory_object_stream[Revocation]()
    with send, receive:
        yield receive


async def serve_bare() -> None:
    """The library's own server, with one method."""
    server = grpc.aio.server()

    async def check(request: Any, _context: Any) -> Any:
        info = {TOKEN: INFO}[request.token]
        return auth_pb2.CheckTokenResponse(
            user=info.user, name=info.name, family=info.family, expires_ms=round(info.expires * 1000)
        )

    make: Callable[..., Any] = grpc.unary_unary_rpc_method_handler
    method = make(check, auth_pb2.CheckTokenRequest.FromString, auth_pb2.CheckTokenResponse.SerializeToString)
    service = PATH.split("/")[1]
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"CheckToken": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


async def serve(rival: str) -> None:
    """Until this process is ended; prints the address first."""
    if rival == "bare":
        await serve_bare()
        return
    settings = RpcSettings(binding=BINDINGS[rival])

    async def start(*, task_status: Any = anyio.TASK_STATUS_IGNORED) -> None:
        await serve_rpc([auth_service(Tokens())], Address("127.0.0.1", 0), settings, task_status=task_status)

    async with anyio.create_task_group() as tasks:
        print(await tasks.start(start), flush=True)


@asynccontextmanager
async def bare_client(address: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """One call of the library's own channel."""
    async with grpc.aio.insecure_channel(address) as channel:
        method: Any = channel.unary_unary(
            PATH, auth_pb2.CheckTokenRequest.SerializeToString, auth_pb2.CheckTokenResponse.FromString
        )

        async def call() -> object:
            answer = await method(auth_pb2.CheckTokenRequest(token=TOKEN), timeout=5)
            return TokenInfo(user=answer.user, name=answer.name, family=answer.family, expires=answer.expires_ms / 1000)

        yield call


@asynccontextmanager
async def our_client(rival: str, address: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """One call of the port."""
    async with GrpcAuthority.connect(parse_address(address), RpcSettings(binding=BINDINGS[rival])) as authority:
        yield lambda: authority.check_token(TOKEN)


async def _repeat(call: Callable[[], Awaitable[object]], n: int) -> None:
    for _ in range(n):
        await call()


async def _cost(call: Callable[[], Awaitable[object]], server: int, n: int) -> tuple[float, float]:
    """Microseconds of CPU for each call: the client's and the server's."""
    begun, served = time.process_time(), read_process_cpu(server)
    async with anyio.create_task_group() as tasks:
        for _ in range(CONCURRENCY):
            tasks.start_soon(_repeat, call, n // CONCURRENCY)
    n -= n % CONCURRENCY
    await anyio.sleep(0.05)
    return (time.process_time() - begun) / n * 1e6, (read_process_cpu(server) - served) / n * 1e6


async def measure(servers: dict[str, tuple[str, int]], n: int, rounds: int) -> None:
    """Print each rival's cost, and its ratio to the bare library."""
    samples: dict[str, list[tuple[float, float]]] = {rival: [] for rival in servers}
    async with AsyncExitStack() as stack:
        calls = {}
        for rival, (address, _) in servers.items():
            client = bare_client(address) if rival == "bare" else our_client(rival, address)
            calls[rival] = await stack.enter_async_context(client)
        for turn in range(rounds + 1):
            for rival, call in calls.items():
                cost = await _cost(call, servers[rival][1], n)
                if turn:  # the first is for warming up
                    samples[rival].append(cost)
    medians = {
        rival: tuple(statistics.median(side) for side in zip(*taken, strict=True)) for rival, taken in samples.items()
    }
    for rival, (client_us, server_us) in medians.items():
        ratio = (client_us + server_us) / sum(medians["bare"])
        print(f"{rival:<10} {ratio:5.2f} x   client {client_us:6.1f} us   server {server_us:6.1f} us")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=6400, help="calls in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", choices=RIVALS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    gc.set_threshold(10_000, 20, 100)  # in all processes, as `rookery` does
    if arguments.serve:
        anyio.run(serve, arguments.serve, backend_options={"use_uvloop": True})
        return
    command = [sys.executable, "-m", "perf.rpc", "--serve"]
    root = Path(__file__).resolve().parents[1]
    running = {rival: subprocess.Popen([*command, rival], stdout=subprocess.PIPE, cwd=root) for rival in RIVALS}
    try:
        servers = {}
        for rival, process in running.items():
            assert process.stdout is not None
            os.sched_setaffinity(process.pid, {SERVER_CORE})
            servers[rival] = (process.stdout.readline().decode().strip(), process.pid)
        pin(CLIENT_CORE)
        anyio.run(measure, servers, arguments.n, arguments.rounds, backend_options={"use_uvloop": True})
    finally:
        for process in running.values():
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
