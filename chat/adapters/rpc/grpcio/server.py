"""The server over grpcio, with health checking (grpc.health.v1) and reflection. On asyncio and uvloop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Any

import anyio
import grpc
import grpc.aio
from anyio.abc import TaskStatus
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chat.adapters.rpc.certificates import Certificates, TlsFiles
from chat.adapters.rpc.dispatch import Dispatcher, Incoming, PeerGone
from chat.adapters.rpc.grpcio.common import STATUSES, server_options
from chat.adapters.rpc.methods import Streaming, Unary
from chat.adapters.rpc.status import BEGUN, Failure
from chat.settings import Address, RpcSettings

Context = Any
"""`grpc.aio.ServicerContext`: generic over messages, which are bytes here."""


class _Handlers:
    """Finds the handler of a path; the library itself answers UNIMPLEMENTED where there is none.

    A `grpc.GenericRpcHandler` but for its base, which cannot be subscripted at run time, as its type stubs want it.
    Each call gets a handler of its own, which has the call's metadata: to ask the context for it costs a twentieth of
    the whole call.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        endpoint = self._dispatcher.find_endpoint(handler_call_details.method)
        metadata: Any = handler_call_details.invocation_metadata
        if isinstance(endpoint, Unary):
            return _unary_handler(partial(self._serve_unary, endpoint, metadata))
        if isinstance(endpoint, Streaming):
            return _stream_handler(partial(self._serve_stream, endpoint, metadata))
        return None

    async def _serve_unary(self, endpoint: Unary[Any, Any], metadata: Any, request: bytes, context: Context) -> bytes:
        try:
            return await self._dispatcher.serve_unary(endpoint, request, _describe_call(metadata, context))
        except Failure as failure:
            await _abort_call(context, failure)
            raise

    async def _serve_stream(
        self, endpoint: Streaming[Any, Any], metadata: Any, request: bytes, context: Context
    ) -> None:
        async def begin() -> None:
            await _send_or_leave(context.send_initial_metadata(BEGUN))

        async def send(item: bytes) -> None:
            await _send_or_leave(context.write(item))

        try:
            await self._dispatcher.serve_stream(
                endpoint, request, _describe_call(metadata, context), begin=begin, send=send
            )
        except Failure as failure:
            await _abort_call(context, failure)


_unary_handler: Callable[..., Any] = grpc.unary_unary_rpc_method_handler
_stream_handler: Callable[..., Any] = grpc.unary_stream_rpc_method_handler


async def _send_or_leave(sending: Awaitable[None]) -> None:
    try:
        await sending
    except (grpc.aio.BaseError, grpc.aio.InternalError):
        raise PeerGone from None


async def _abort_call(context: Context, failure: Failure) -> None:
    await context.abort(STATUSES[failure.code], failure.message, failure.trailers)


def _describe_call(metadata: Any, context: Context) -> Incoming:
    def names() -> Collection[str]:
        auth: dict[str, Any] = context.auth_context() or {}
        found = (*auth.get("x509_common_name", ()), *auth.get("x509_subject_alternative_name", ()))
        return {name.decode() if isinstance(name, bytes) else name for name in found}

    return Incoming(dict(metadata or ()), context.time_remaining(), names, enforced=True)


def _make_credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """Looks at the files whenever a client connects; the library calls it in a thread of its own."""

    def configuration(loaded: TlsFiles) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration([(loaded.key, loaded.certificate)], loaded.authority)

    known = certificates.current_files()

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal known
        loaded = certificates.current_files()
        if loaded is known:
            return None
        known = loaded
        return configuration(loaded)

    make: Callable[..., grpc.ServerCredentials] = grpc.dynamic_ssl_server_credentials
    return make(configuration(known), fetch, require_client_authentication=True)


def _bind_port(server: grpc.aio.Server, address: Address, settings: RpcSettings) -> Address:
    """The address that is bound. Raises `OSError`."""
    certificates = Certificates.from_settings(settings)
    try:
        if certificates is None:
            port = server.add_insecure_port(str(address))
        else:
            port = server.add_secure_port(str(address), _make_credentials(certificates))
    except RuntimeError:
        raise OSError(f"cannot listen on {address} for RPC; is the address taken?") from None
    return Address(address.host, port)


def _add_health(server: grpc.aio.Server) -> health.aio.HealthServicer:
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    return servicer


async def serve_grpcio(
    dispatcher: Dispatcher, address: Address, settings: RpcSettings, *, grace: float, task_status: TaskStatus[Address]
) -> None:
    """Until it is cancelled; then calls that are under way have `grace` seconds. See `serve_rpc`."""
    server = grpc.aio.server(options=server_options(settings))
    handlers: Any = _Handlers(dispatcher)
    server.add_generic_rpc_handlers((handlers,))
    healthy = _add_health(server)
    names = [service.name for service in dispatcher.services]
    reflection.enable_server_reflection((*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    bound = _bind_port(server, address, settings)
    await server.start()
    try:
        for name in ("", *names):
            await healthy.set(name, health_pb2.HealthCheckResponse.SERVING)
        task_status.started(bound)
        await anyio.sleep_forever()
    finally:
        with anyio.move_on_after(grace + 2, shield=True):
            await healthy.enter_graceful_shutdown()
            dispatcher.end_streams()
            await server.stop(grace)
