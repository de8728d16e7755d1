"""The library's own client, with reflection and health checking, as operators use it."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import grpc
import grpc.aio
import pytest
from anyio import to_thread
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from chat.settings import Address, RpcSettings
from tests.support.rpc import ADA, Served, serving, until

pytestmark = pytest.mark.anyio

SERVICES = {
    "rookery.auth.v1.AuthService",
    "rookery.chat.v1.ChatService",
    "rookery.moderation.v1.ModerationService",
}


def ask_by_reflection(address: Address) -> tuple[set[str], str]:
    """All service names, and the answer to a call whose messages came from the server."""
    with grpc.insecure_channel(str(address)) as channel:
        database: Any = ProtoReflectionDescriptorDatabase(channel)
        names = set(database.get_services())
        pool: Any = DescriptorPool(database)
        method = pool.FindServiceByName("rookery.auth.v1.AuthService").FindMethodByName("CheckToken")
        request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        call: Any = channel.unary_unary(
            "/rookery.auth.v1.AuthService/CheckToken",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        return names, call(request(token="good"), timeout=5).user


def health(address: Address, service: str) -> int:
    with grpc.insecure_channel(str(address)) as channel:
        call: Any = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        status: int = call(health_pb2.HealthCheckRequest(service=service), timeout=5).status
        return status


async def test_reflection_tells_all_that_a_client_needs() -> None:
    async with serving(RpcSettings(binding="grpcio")) as served:
        names, user = await to_thread.run_sync(ask_by_reflection, served.address)
    assert names >= SERVICES
    assert user == ADA


async def test_each_service_is_healthy() -> None:
    async with serving(RpcSettings(binding="grpcio")) as served:
        for name in ("", *SERVICES):
            assert await to_thread.run_sync(health, served.address, name) == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as raised:
            await to_thread.run_sync(health, served.address, "no.such.Service")
    failed: Any = raised.value
    assert failed.code() is grpc.StatusCode.NOT_FOUND


async def test_a_stopping_server_says_that_it_does_not_serve() -> None:
    def watch(served: Served, seen: list[int]) -> None:
        with grpc.insecure_channel(str(served.address)) as channel:
            call: Any = channel.unary_stream(
                "/grpc.health.v1.Health/Watch",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            try:
                for answer in call(health_pb2.HealthCheckRequest(), timeout=10):
                    seen.append(answer.status)
                    if len(seen) == 1:
                        served.stop()
                    else:
                        return
            except grpc.RpcError:
                return

    async with serving(RpcSettings(binding="grpcio")) as served:
        seen: list[int] = []
        await to_thread.run_sync(watch, served, seen)
        await until(lambda: len(seen) == 2)
    assert seen == [health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING]


async def test_a_call_of_a_loop_that_is_closed_is_no_failure_of_another_loop(anyio_backend: Any) -> None:
    if anyio_backend[0] != "asyncio":
        pytest.skip("the library's asyncio part knows no other loop")
    left: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        def begin_and_close() -> None:
            loop = asyncio.new_event_loop()
            loop.run_until_complete(begin_call(port, left))
            loop.close()

        await to_thread.run_sync(begin_and_close)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call: Any = channel.unary_unary("/a/b")
            with pytest.raises(grpc.aio.AioRpcError):
                await call(b"", timeout=0.5)  # the deadline of the other call is earlier


async def begin_call(port: int, left: list[Any]) -> None:
    """Leave a call under way, whose deadline comes soon."""
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
    call: Any = channel.unary_unary("/a/b")
    left += [channel, call(b"", timeout=0.2)]
    await asyncio.sleep(0)
