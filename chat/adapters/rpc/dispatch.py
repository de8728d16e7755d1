"""The server's side of both bindings: from the bytes of a request to the bytes of an answer, or a `Failure`.

Rule 1: whatever a caller sends, and whatever a function raises, ends in a status; only cancellation passes through.
Rule 2: of a failure inside, the caller learns nothing; the log gets its type, its place and the trace.
Rule 3: every call ends: at the caller's deadline, or after `MAX_SECONDS`. A stream ends with its caller or its server.
"""

from __future__ import annotations

import hmac
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from google.protobuf.message import DecodeError

from chat.adapters.rpc import tracing
from chat.adapters.rpc.deadline import served_until
from chat.adapters.rpc.methods import Method, Service, Streaming, Unary
from chat.adapters.rpc.statistics import RpcStatistics
from chat.adapters.rpc.status import Code, Failure, failure_of, internal_failure
from chat.errors import RookeryError
from chat.settings import RpcSettings
from chat.tracing import begin_span, end_span, is_tracing, use_span

logger = logging.getLogger(__name__)

MAX_SECONDS = 60.0
MAX_CALLS = 4096
MAX_STREAMS = 1024

Endpoint = Unary[Any, Any] | Streaming[Any, Any]


class PeerGone(Exception):
    """A binding cannot send: the caller has left."""


@dataclass(slots=True)
class Incoming:
    """What a binding knows of a call. `timeout` in seconds; None: the caller named no deadline. `names` gives those in
    the caller's certificate. `enforced`: the binding itself cancels the call at its deadline."""

    metadata: Mapping[str, str]
    timeout: float | None
    names: Callable[[], Collection[str]]
    enforced: bool = False


class Dispatcher:
    """Serves calls of these services. One for each server."""

    def __init__(self, services: Iterable[Service], settings: RpcSettings, statistics: RpcStatistics) -> None:
        self.services = tuple(services)
        self._endpoints = {each.method.path: each for service in self.services for each in service.endpoints}
        self._credential = f"Bearer {settings.token}".encode() if settings.token else b""
        self._peers = frozenset(settings.peers)
        self._max_bytes = settings.max_bytes
        self._statistics = statistics
        self._streams: set[anyio.CancelScope] = set()
        self._stopping = False
        self._open_calls = 0

    def find_endpoint(self, path: str) -> Endpoint | None:
        """What serves this path, such as `/rookery.auth.v1.AuthService/CheckToken`."""
        return self._endpoints.get(path)

    def end_streams(self) -> None:
        """The server stops: streams end with UNAVAILABLE, and no new one begins."""
        self._stopping = True
        for scope in self._streams:
            scope.cancel()

    async def serve_unary(self, endpoint: Unary[Any, Any], request: bytes, incoming: Incoming) -> bytes:
        """The answer. Raises `Failure`."""
        work = self._answer_unary(endpoint, request, incoming)
        answer: bytes = await self._count_and_translate(endpoint.method, incoming, work)
        return answer

    async def serve_stream(
        self,
        endpoint: Streaming[Any, Any],
        request: bytes,
        incoming: Incoming,
        *,
        begin: Callable[[], Awaitable[None]],
        send: Callable[[bytes], Awaitable[None]],
    ) -> None:
        """Calls `begin` once it is listening, then `send` with each item. Raises `Failure`."""
        work = self._send_items(endpoint, request, incoming, begin, send)
        await self._count_and_translate(endpoint.method, incoming, work)

    async def _count_and_translate(self, method: Method[Any, Any], incoming: Incoming, work: Awaitable[Any]) -> Any:
        """Count the work, trace it, and turn whatever it raises into a status."""
        begun = time.perf_counter()
        statistics = self._statistics
        self._open_calls += 1
        statistics.open += 1
        code = Code.CANCELLED  # what is counted if a cancellation passes through
        span = begin_span(method.path, "server", incoming.metadata.get(tracing.HEADER)) if is_tracing() else None
        try:
            with use_span(span):
                answer = await work
            code = Code.OK
            return answer  # noqa: TRY300 - the clock stops below
        except Failure as failure:
            code = failure.code
            raise
        except RookeryError as error:
            status = failure_of(error)
            code = status.code
            if code is Code.INTERNAL:  # rule 2
                self._log_failure(method, error)
            raise status from None
        except PeerGone:
            raise Failure(code, "the caller has left") from None
        except Exception as error:  # noqa: BLE001 - rule 1
            code = Code.INTERNAL
            self._log_failure(method, error)
            raise internal_failure() from None
        finally:
            self._open_calls -= 1
            statistics.open -= 1
            statistics.count_call(method.path, code, time.perf_counter() - begun)
            end_span(span, None if code is Code.OK else code.name)

    async def _answer_unary(self, endpoint: Unary[Any, Any], request: bytes, incoming: Incoming) -> bytes:
        question = self._accept_request(endpoint.method, request, incoming)
        timeout = incoming.timeout
        if timeout is not None and incoming.enforced and timeout <= MAX_SECONDS:
            # Rule 3. The binding cancels it; a cancel scope of our own would cost as much as all else here together.
            served_until.set(anyio.current_time() + timeout)
            return self._serialize_answer(endpoint.method, await endpoint.function(question))
        with anyio.move_on_after(MAX_SECONDS if timeout is None else min(timeout, MAX_SECONDS)):
            answer = await endpoint.function(question)
            return self._serialize_answer(endpoint.method, answer)
        raise Failure(Code.DEADLINE_EXCEEDED, "the answer was not ready before the deadline")

    async def _send_items(
        self,
        endpoint: Streaming[Any, Any],
        request: bytes,
        incoming: Incoming,
        begin: Callable[[], Awaitable[None]],
        send: Callable[[bytes], Awaitable[None]],
    ) -> None:
        question = self._accept_request(endpoint.method, request, incoming)
        if len(self._streams) >= MAX_STREAMS:
            raise Failure(Code.RESOURCE_EXHAUSTED, "too many streams are open; try again later")
        with anyio.CancelScope() as scope:
            self._streams.add(scope)
            try:
                # A stream that begins while the server stops ends as one that was cancelled by `end_streams`.
                if not self._stopping:
                    async with endpoint.function(question) as items:
                        await begin()
                        async for item in items:
                            await send(self._serialize_answer(endpoint.method, item))
            finally:
                self._streams.discard(scope)
        raise Failure(Code.UNAVAILABLE, "the stream has ended; begin another")

    def _accept_request(self, method: Method[Any, Any], request: bytes, incoming: Incoming) -> Any:
        """Check who calls, and read what is asked."""
        metadata = incoming.metadata
        if self._open_calls > MAX_CALLS:
            raise Failure(Code.RESOURCE_EXHAUSTED, "too many calls are under way; try again later")
        if self._credential and not hmac.compare_digest(metadata.get("authorization", "").encode(), self._credential):
            raise Failure(Code.UNAUTHENTICATED, "the call needs the token that the roles share, ROOKERY_RPC_TOKEN")
        if self._peers and self._peers.isdisjoint(incoming.names()):
            raise Failure(Code.PERMISSION_DENIED, "the certificate's name may not call here; see ROOKERY_RPC_PEERS")
        tracing.continue_trace(metadata)
        try:
            message = method.request.FromString(request)
        except DecodeError:
            name = method.request.DESCRIPTOR.full_name
            raise Failure(Code.INVALID_ARGUMENT, f"the request is no {name}") from None
        return method.read_request(message)

    def _serialize_answer(self, method: Method[Any, Any], answer: Any) -> bytes:
        data = method.write_answer(answer).SerializeToString()
        if len(data) > self._max_bytes:
            raise Failure(Code.RESOURCE_EXHAUSTED, f"the answer is over {self._max_bytes} bytes; ask for less at once")
        return data

    def _log_failure(self, method: Method[Any, Any], error: BaseException) -> None:
        """The type and the place alone: an exception's text could quote a user."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
        trace = tracing.current_trace_id()
        logger.error("%s failed with %s at %s, trace %s", method.path, type(error).__name__, place, trace)
