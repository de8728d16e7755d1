"""The client's side of both bindings: deadlines, retries with a budget, credentials, traces, errors of the domain.

Rule 1: a call ends within the `deadline_seconds` of the settings, or earlier if a cancel scope around it ends; the
server learns of it.
Rule 2: only a repeatable call is sent again, only after UNAVAILABLE, and only while the budget lasts. So clients do not
double the load of a service that is down (as in gRFC A6: a token for each failure, a tenth back for each success, no
retry with half of the tokens or fewer).
Rule 3: a stream that ends raises `Unavailable`, because something may have been missed.

Connecting again is the transport's: grpcio does it by itself, `purerpc/client.py` for the other binding. A call that
finds no connection fails with UNAVAILABLE, so rule 2 decides whether it is sent again.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Generic, Protocol, TypeVar

import anyio
from anyio.lowlevel import checkpoint
from google.protobuf.message import DecodeError

from chat.adapters.rpc import tracing
from chat.adapters.rpc.deadline import served_until
from chat.adapters.rpc.methods import Method
from chat.adapters.rpc.statistics import CLIENT, RpcStatistics
from chat.adapters.rpc.status import Code, Failure, Metadata, error_of
from chat.concurrency import Backoff
from chat.errors import RookeryError, TooLong, Unavailable
from chat.settings import RpcSettings
from chat.tracing import begin_span, end_span, use_span

Q = TypeVar("Q")
A = TypeVar("A")

ATTEMPTS = 3
BACKOFF = Backoff(base=0.1, cap=0.2, jitter=0.5)
BUDGET = 10.0
CONNECT_SECONDS = 5.0
"""Until a connection stands, the server's first bytes included: its event loop may be busy for a moment."""


class Transport(Protocol):
    """Moves bytes to one address and back. Both calls raise `Failure`, UNAVAILABLE when there is no connection."""

    async def call_unary(self, path: str, request: bytes, metadata: Metadata, timeout: float) -> bytes:
        """The answer, within `timeout` seconds. Cancelling it, and the deadline, reset the call at the server."""
        ...

    def open_stream(
        self, path: str, request: bytes, metadata: Metadata, timeout: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Entered when the server says that it has begun, which has `timeout` seconds; leaving resets the call."""
        ...


class RetryBudget:
    """See rule 2."""

    def __init__(self) -> None:
        self._tokens = BUDGET

    def record_success(self) -> None:
        """A call was answered."""
        self._tokens = min(BUDGET, self._tokens + 0.1)

    def record_failure(self) -> bool:
        """A call was not answered: take a token. Whether it may be sent again (rule 2)."""
        self._tokens = max(0.0, self._tokens - 1)
        return self._tokens > BUDGET / 2


class Caller:
    """Calls the methods of one service over one transport."""

    def __init__(
        self, service: str, transport: Transport, settings: RpcSettings, statistics: RpcStatistics = CLIENT
    ) -> None:
        self._service = service
        self._transport = transport
        self._settings = settings
        self._statistics = statistics
        self._budget = RetryBudget()
        self._credential: Metadata = (("authorization", f"Bearer {settings.token}"),) if settings.token else ()

    @property
    def max_bytes(self) -> int:
        """Of one message."""
        return self._settings.max_bytes

    async def call_unary(self, method: Method[Q, A], question: Q) -> A:
        """The answer. Raises what the service raised, or `Unavailable`."""
        request = self._serialize_request(method, question)
        begun = time.perf_counter()
        self._statistics.open += 1
        code = Code.CANCELLED
        span = begin_span(method.path, "client")
        try:
            with use_span(span):
                data = await self._call_with_retries(method, request)
            code = Code.OK
        except Failure as failure:
            code = failure.code
            raise error_of(failure, self._service) from None
        finally:
            self._statistics.open -= 1
            self._statistics.count_call(method.path, code, time.perf_counter() - begun)
            end_span(span, None if code is Code.OK else code.name)
        return self._read_answer(method, data)

    @asynccontextmanager
    async def watch_stream(self, method: Method[Q, A], question: Q) -> AsyncIterator[AsyncIterator[A]]:
        """The items of a stream, from the moment of entering on."""
        request = self._serialize_request(method, question)
        timeout = min(self._settings.deadline_seconds, await _time_left())
        async with AsyncExitStack() as stack:
            stream = self._transport.open_stream(method.path, request, self._make_metadata(), timeout)
            try:
                items = await stack.enter_async_context(stream)
            except Failure as failure:
                raise error_of(failure, self._service) from None
            self._statistics.open += 1
            stack.callback(self._count_closed)
            yield _AnswerStream(self, method, items)

    def _count_closed(self) -> None:
        self._statistics.open -= 1

    async def _call_with_retries(self, method: Method[Any, Any], request: bytes) -> bytes:
        timeout = min(self._settings.deadline_seconds, await _time_left())  # rule 1
        deadline = anyio.current_time() + timeout
        attempt = 1
        metadata = self._make_metadata()
        while True:
            try:
                data = await self._transport.call_unary(method.path, request, metadata, timeout)
            except Failure as failure:
                # Rule 2. The budget is charged in any case, also for a call that is not repeatable.
                again = failure.code is Code.UNAVAILABLE and self._budget.record_failure() and method.repeatable
                wait = BACKOFF.delay(attempt - 1)
                if not again or attempt == ATTEMPTS or anyio.current_time() + wait >= deadline:
                    raise
                self._statistics.retries += 1
                attempt += 1
                await anyio.sleep(wait)
                timeout = deadline - anyio.current_time()  # all attempts share one deadline
            else:
                self._budget.record_success()
                return data

    def _make_metadata(self) -> Metadata:
        return (*self._credential, *tracing.trace_metadata())

    def _serialize_request(self, method: Method[Q, Any], question: Q) -> bytes:
        request = method.write_request(question).SerializeToString()
        if len(request) > self._settings.max_bytes:
            raise TooLong(f"{method.name} is over {self._settings.max_bytes} bytes; ask for less at once")
        return request

    def _read_answer(self, method: Method[Any, A], data: bytes) -> A:
        try:
            return method.read_answer(method.response.FromString(data))
        except (DecodeError, ValueError):
            raise Unavailable(f"{self._service} gave an answer that this version cannot read") from None

    def read_item(self, method: Method[Any, A], data: bytes) -> A:
        """An item of a stream."""
        return self._read_answer(method, data)

    def stream_error(self, failure: Failure) -> RookeryError:
        """The error of a stream that ended (rule 3)."""
        error = error_of(failure, self._service)
        return error if isinstance(error, Unavailable) else Unavailable(f"{self._service} ended the stream")


class _AnswerStream(Generic[A]):
    """Items of a stream as the domain has them."""

    def __init__(self, caller: Caller, method: Method[Any, A], items: AsyncIterator[bytes]) -> None:
        self._caller = caller
        self._method = method
        self._items = items

    def __aiter__(self) -> _AnswerStream[A]:
        return self

    async def __anext__(self) -> A:
        try:
            data = await anext(self._items)
        except Failure as failure:
            raise self._caller.stream_error(failure) from None
        except StopAsyncIteration:
            raise self._caller.stream_error(Failure(Code.UNAVAILABLE, "the stream has ended")) from None
        return self._caller.read_item(self._method, data)


async def _time_left() -> float:
    """Seconds until the innermost deadline: of the scopes around this task, and of the call that it serves."""
    left = min(anyio.current_effective_deadline(), served_until.get()) - anyio.current_time()
    if left <= 0:
        await checkpoint()  # raises if the scope around this task is cancelled
    return left
