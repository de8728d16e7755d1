"""The server over purerpc, on every event loop.

What purerpc's own server lacks is here: a host to bind, deadlines, a status without the exception's words, a bound on
connections and calls, TLS files that may change, and a graceful stop.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

import anyio
import h2.exceptions
from anyio.abc import ByteStream, Listener, SocketAttribute, SocketStream, TaskStatus
from anyio.streams.tls import TLSAttribute, TLSStream

from chat.adapters.rpc.certificates import Certificates
from chat.adapters.rpc.dispatch import MAX_CALLS, MAX_SECONDS, Dispatcher, Incoming, PeerGone
from chat.adapters.rpc.methods import Streaming
from chat.adapters.rpc.purerpc.link import BROKEN, CallStream, Link, put_status
from chat.adapters.rpc.purerpc.patches import RequestReceived
from chat.adapters.rpc.purerpc.protocol import GrpcProtocol
from chat.adapters.rpc.status import BEGUN, Code, Failure, Metadata
from chat.concurrency import AutoResetEvent
from chat.settings import Address, RpcSettings

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
MAX_CONNECTIONS = 1024


class PurerpcServer:
    """Serves connections; `stop` waits for the calls that are under way."""

    def __init__(self, dispatcher: Dispatcher, settings: RpcSettings) -> None:
        self._dispatcher = dispatcher
        self._max_bytes = settings.max_bytes
        self._certificates = Certificates.from_settings(settings)
        self._connections = 0
        self._calls = 0
        self._stopping = False
        self._idle = AutoResetEvent()

    async def serve_connection(self, client: SocketStream) -> None:
        """Serve one connection. An error in it ends this connection alone."""
        if self._stopping or self._connections >= MAX_CONNECTIONS:
            await anyio.aclose_forcefully(client)
            return
        self._connections += 1
        try:
            stream = await self._wrap_tls(client)
            if stream is not None:
                protocol = GrpcProtocol(client_side=False, max_bytes=self._max_bytes)
                await Link(stream, protocol, self._on_request).run_connection()
        except Exception as error:  # noqa: BLE001 - a connection never ends the server
            logger.warning("a connection failed with %s", type(error).__name__)
        finally:
            self._connections -= 1
            with anyio.CancelScope(shield=True):
                await anyio.aclose_forcefully(client)

    async def stop_gracefully(self, grace: float) -> None:
        """Calls that are under way have so many seconds."""
        self._stopping = True
        self._dispatcher.end_streams()
        with anyio.move_on_after(grace):
            while self._calls:
                await self._idle.wait()
            await anyio.sleep(0.01)  # the writers still have the last answers

    async def _wrap_tls(self, client: SocketStream) -> ByteStream | None:
        if self._certificates is None:
            return client
        try:
            with anyio.fail_after(HANDSHAKE_SECONDS):
                return await TLSStream.wrap(
                    client,
                    server_side=True,
                    ssl_context=self._certificates.current_files().server,
                    standard_compatible=False,
                )
        except (TimeoutError, *BROKEN) as error:
            logger.info("a TLS handshake failed with %s", type(error).__name__)
            return None

    def _on_request(self, link: Link, stream: CallStream, request: RequestReceived) -> None:
        path = f"/{request.service_name}/{request.method_name}"
        refusal = None
        if self._dispatcher.find_endpoint(path) is None:
            refusal = Failure(Code.UNIMPLEMENTED, "there is no such method")
        elif self._stopping:
            refusal = Failure(Code.UNAVAILABLE, "the server is stopping")
        elif self._calls >= 2 * MAX_CALLS:  # half of them wait for the rest of their request
            refusal = Failure(Code.RESOURCE_EXHAUSTED, "too many calls are under way; try again later")
        if refusal is not None:
            link.finish_call(stream, lambda: put_status(link.protocol, stream, refusal))
            link.leave_call(stream)
            return
        self._calls += 1
        link.tasks.start_soon(self._serve_call, link, stream, path, request)

    async def _serve_call(self, link: Link, stream: CallStream, path: str, request: RequestReceived) -> None:
        try:
            with anyio.CancelScope() as scope:
                stream.on_reset = scope.cancel
                failure: Failure | None = None
                try:
                    await self._serve_request(link, stream, path, request)
                except Failure as raised:
                    failure = raised
                link.finish_call(stream, lambda: put_status(link.protocol, stream, failure))
        finally:
            stream.ended = True  # so leaving does not reset a call that was answered
            link.leave_call(stream)
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def _serve_request(self, link: Link, stream: CallStream, path: str, request: RequestReceived) -> None:
        timeout = None if request.timeout is None else request.timeout.total_seconds()
        incoming = Incoming(_read_metadata(request), timeout, lambda: _certificate_names(link.stream))
        message = None
        with anyio.move_on_after(MAX_SECONDS if timeout is None else timeout) as waiting:
            message = await link.receive_message(stream)
        if waiting.cancelled_caught:
            raise Failure(Code.DEADLINE_EXCEEDED, "the request was not complete before the deadline")
        if message is None:
            raise Failure(Code.INVALID_ARGUMENT, "the call has no message")
        endpoint = self._dispatcher.find_endpoint(path)
        if isinstance(endpoint, Streaming):
            await self._serve_stream(link, stream, endpoint, message, incoming)
        elif endpoint is not None:
            answer = await self._dispatcher.serve_unary(endpoint, message, incoming)
            _start_response(link, stream)
            await link.send_message(stream, answer)

    async def _serve_stream(
        self, link: Link, stream: CallStream, endpoint: Streaming[Any, Any], message: bytes, incoming: Incoming
    ) -> None:
        async def begin() -> None:
            _start_response(link, stream, BEGUN)
            link.wake_writer()

        async def send(item: bytes) -> None:
            try:
                await link.send_message(stream, item)
            except Failure:
                raise PeerGone from None

        await self._dispatcher.serve_stream(endpoint, message, incoming, begin=begin, send=send)


def _start_response(link: Link, stream: CallStream, metadata: Metadata = ()) -> None:
    try:
        link.protocol.start_response(stream.id, "+proto", metadata)
    except h2.exceptions.ProtocolError:
        raise Failure(Code.CANCELLED, "the caller has reset the call") from None
    stream.begun = True


def _read_metadata(request: RequestReceived) -> dict[str, str]:
    return {name: value for name, value in request.custom_metadata if isinstance(value, str)}


def _certificate_names(stream: ByteStream) -> Collection[str]:
    """Those in the caller's certificate."""
    certificate: Any = stream.extra(TLSAttribute.peer_certificate, None)  # noqa: S610 - no database here
    if not certificate:
        return ()
    subject = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
    return {*subject, *(value for _, value in certificate.get("subjectAltName", ()))}


async def serve_purerpc(
    dispatcher: Dispatcher, address: Address, settings: RpcSettings, *, grace: float, task_status: TaskStatus[Address]
) -> None:
    """Until it is cancelled; then calls that are under way have `grace` seconds. See `serve_rpc`."""
    server = PurerpcServer(dispatcher, settings)
    async with await anyio.create_tcp_listener(local_host=address.host, local_port=address.port) as listener:
        bound = listener.extra(SocketAttribute.local_port)  # noqa: S610 - no database here
        async with anyio.create_task_group() as tasks:
            serving = anyio.CancelScope(shield=True)
            tasks.start_soon(_serve_listener, listener, server, serving)
            task_status.started(Address(address.host, bound))
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.move_on_after(grace + 1, shield=True):
                    await server.stop_gracefully(grace)
                serving.cancel()


async def _serve_listener(listener: Listener[SocketStream], server: PurerpcServer, scope: anyio.CancelScope) -> None:
    """Until `scope` is cancelled, which is later than the server is: calls that are under way may end first."""
    with scope:
        await listener.serve(server.serve_connection)
