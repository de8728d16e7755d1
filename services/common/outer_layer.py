"""The outermost layer of the application, which holds for every response, also for those of errors.

It adds security headers, writes one line to the access log, counts metrics, keeps a deadline, and answers when
something failed. The log and the metrics name the route's template and never the path or the query: the path of an
invitation has its token in it, and a query has what a user searched.
"""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING

import anyio
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chat.errors import Unavailable
from chat.histograms import SECONDS
from chat.tracing import TRACEPARENT, begin_span, end_span, is_tracing, use_span
from services.common.addresses import client_address, is_trusted_proxy, parse_networks, websocket_url
from services.common.problems import MEDIA_TYPE, answer_error, make_internal_problem, make_problem
from services.common.request_ids import HEADER, begin_request
from services.common.settings import ServiceSettings

if TYPE_CHECKING:  # comes with the extra `tracing`
    from opentelemetry.trace import Span

REQUEST_SECONDS = 60.0
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

access = logging.getLogger("rookery.access")
logger = logging.getLogger("rookery.http")


class OuterLayer:
    """ASGI middleware around everything. One per `registry`, because metrics are registered once."""

    def __init__(self, app: ASGIApp, *, settings: ServiceSettings, registry: CollectorRegistry) -> None:
        parse_networks(settings.http.trusted_proxies)  # a mistake in them ends the start, and not a request
        self._app = app
        self._settings = settings
        self._requests = Counter(
            "rookery_http_requests", "HTTP requests answered", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "rookery_http_request_seconds",
            "Seconds from an HTTP request to its answer",
            ["method", "route"],
            buckets=SECONDS,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve HTTP. A WebSocket handshake gets 404 and the address of the edge, which has its own port."""
        if scope["type"] == "http":
            await self._serve_request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._turn_away(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        method = scope["method"] if scope["method"] in _METHODS else "other"
        peer = (scope.get("client") or ("",))[0]
        trusted = is_trusted_proxy(peer, self._settings.http)
        headers = self._make_headers(scope) | {HEADER: begin_request(scope["headers"], trusted=trusted)}
        answer = _Answer(send, headers, without_body=scope["method"] == "HEAD")
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}  # it is answered as GET, without the body (RFC 9110, section 9.3.2)
        span = _begin_span(method, scope, trusted=trusted) if is_tracing() else None
        try:
            with use_span(span), anyio.move_on_after(REQUEST_SECONDS) as deadline:
                await self._app(scope, receive, answer.send)
            if deadline.cancelled_caught and not answer.status:
                await answer_error(Unavailable("the request took too long; try again"))(scope, receive, answer.send)
        except Exception as error:  # noqa: BLE001 - whatever a route raises, the client gets an answer and the server goes on
            _log_defect(error)
            if not answer.status:
                await make_internal_problem()(scope, receive, answer.send)
        finally:
            if span is not None:
                _describe_span(span, method, scope, answer.status)
            self._record_request(method, scope, answer.status, time.perf_counter() - started)

    def _make_headers(self, scope: Scope) -> dict[str, str]:
        socket_origin = "/".join(websocket_url(scope, self._settings).split("/")[:3])
        policy = (
            f"default-src 'self'; connect-src 'self' {socket_origin}; img-src 'self' data:; object-src 'none'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        headers = {**_FIXED, "Content-Security-Policy": policy}
        if _has_two_lengths(scope):
            headers["Connection"] = "close"
        if scope["path"].startswith("/api/"):
            headers["Cache-Control"] = "no-store"
        return headers

    def _record_request(self, method: str, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "-")
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)
        address = client_address(scope, self._settings.http)
        access.info("%s %s %s %d %.1fms", address, method, route, status, seconds * 1000)

    async def _turn_away(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        where = websocket_url(scope, self._settings)
        response = make_problem(404, "not_found", f"WebSocket sessions are at {where}")
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"connection", b"close")]
        headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "websocket.http.response.start", "status": 404, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": bytes(response.body)})


class _Answer:
    """Adds headers to a response that passes, and remembers its status (0: not begun). `without_body`: for HEAD."""

    def __init__(self, send: Send, headers: dict[str, str], *, without_body: bool) -> None:
        self._send = send
        self._headers = headers
        self._without_body = without_body
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        elif self._without_body and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


def _begin_span(method: str, scope: Scope, *, trusted: bool) -> Span | None:
    """The span of a request. It goes on the trace of a proxy that is trusted; no stranger decides what is sampled."""
    brought = (value for name, value in scope["headers"] if trusted and name.lower() == TRACEPARENT.encode())
    parent = next(brought, None)
    return begin_span(method, "server", None if parent is None else parent.decode("latin-1"))


def _describe_span(span: Span, method: str, scope: Scope, status: int) -> None:
    """End the span of a request, by its route's template."""
    route = getattr(scope.get("route"), "path", "-")
    span.update_name(f"{method} {route}")
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    end_span(span, str(status) if status >= 500 or not status else None)


def _has_two_lengths(scope: Scope) -> bool:
    """A request with Transfer-Encoding and Content-Length: a proxy may have read another end of it than we did, so what
    follows on the connection may be smuggled (RFC 9112, section 6.1)."""
    names = {name.lower() for name, _ in scope["headers"]}
    return {b"transfer-encoding", b"content-length"} <= names and scope.get("http_version", "").startswith("1")


def _log_defect(error: Exception) -> None:
    """Log where a defect is, without the message of its exception, which may quote what a user wrote."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("a request failed with %s\n%s", type(error).__name__, frames)
