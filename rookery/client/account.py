"""Accounts over REST, as much as a bot needs: register, log in, and access tokens that are renewed while it runs.

A minimal HTTP/1.1 exchange by h11, one connection a call; use any HTTP client for the rest of the REST interface.
"""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import anyio
import h11
import msgspec
import orjson
from anyio.abc import ByteStream
from msgspec import Struct

from rookery.client.errors import ConnectionLost, HttpError
from rookery.client.tokens import refresh_after

_MAX_BODY = 1024 * 1024


class _Tokens(Struct):
    access_token: str
    refresh_token: str
    expires_in: float = 0.0


class _Problem(Struct):
    code: str = ""
    title: str = ""
    detail: str = ""


class Account:
    """A user who is logged in. `token` is what `connect` takes."""

    def __init__(self, url: str, tokens: _Tokens, *, timeout: float, ssl_context: ssl.SSLContext | None) -> None:
        self._url = url
        self._tokens = tokens
        self._timeout = timeout
        self._ssl_context = ssl_context
        self._renew_at = _renew_at(tokens)
        self._lock = anyio.Lock()

    async def token(self) -> str:
        """An access token that does not expire soon. Raises `HttpError` (401: log in again) and `ConnectionLost`."""
        async with self._lock:
            if anyio.current_time() >= self._renew_at:
                body = {"refresh_token": self._tokens.refresh_token}
                # The answer holds the only token that will work from now on, so a cancelled caller must not lose it.
                with anyio.CancelScope(shield=True):
                    raw = await _post_json(self._url, "/api/auth/refresh", body, self._timeout, self._ssl_context)
                    self._tokens = _decode_tokens(raw)
                    self._renew_at = _renew_at(self._tokens)
            return self._tokens.access_token


async def login(
    url: str, name: str, password: str, *, timeout: float = 10.0, ssl_context: ssl.SSLContext | None = None
) -> Account:
    """Log in at the HTTP address of the server, as `https://chat.example.org`. Raises `HttpError`, `ConnectionLost`."""
    raw = await _post_json(url, "/api/auth/login", {"name": name, "password": password}, timeout, ssl_context)
    return Account(url, _decode_tokens(raw), timeout=timeout, ssl_context=ssl_context)


async def register(
    url: str,
    name: str,
    password: str,
    *,
    display_name: str | None = None,
    timeout: float = 10.0,
    ssl_context: ssl.SSLContext | None = None,
) -> None:
    """Register a name, and what others read in its place. Raises `HttpError` (409: the name is taken) and
    `ConnectionLost`."""
    body = {"name": name, "password": password} | ({"display_name": display_name} if display_name else {})
    await _post_json(url, "/api/auth/register", body, timeout, ssl_context)


def _decode_tokens(raw: bytes) -> _Tokens:
    try:
        return msgspec.json.decode(raw, type=_Tokens)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise HttpError(200, "", f"the answer holds no tokens: {error}") from None


def _renew_at(tokens: _Tokens) -> float:
    seconds = refresh_after(tokens.access_token)
    return anyio.current_time() + (tokens.expires_in / 2 if seconds is None else seconds)


async def _post_json(
    url: str, path: str, body: dict[str, str], timeout: float, context: ssl.SSLContext | None
) -> bytes:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not an HTTP address; give one such as https://chat.example.org")
    try:
        with anyio.fail_after(timeout):
            stream = await _dial_server(parts.hostname, parts.port, context, tls=parts.scheme == "https")
            try:
                status, raw = await _exchange_http(
                    stream, parts.netloc, parts.path.rstrip("/") + path, orjson.dumps(body)
                )
            finally:
                await anyio.aclose_forcefully(stream)
    except (OSError, EOFError, anyio.BrokenResourceError, anyio.EndOfStream, h11.ProtocolError) as error:
        raise ConnectionLost(f"the server did not answer POST {path}: {error!r}") from error
    if status >= 300:
        raise _decode_problem(status, raw)
    return raw


async def _dial_server(host: str, port: int | None, context: ssl.SSLContext | None, *, tls: bool) -> ByteStream:
    if tls:
        return await anyio.connect_tcp(host, port or 443, tls=True, ssl_context=context)
    return await anyio.connect_tcp(host, port or 80)


async def _exchange_http(stream: ByteStream, host: str, target: str, body: bytes) -> tuple[int, bytes]:
    http = h11.Connection(h11.CLIENT)
    headers = [
        ("Host", host),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    request = h11.Request(method="POST", target=target, headers=headers)
    await stream.send((http.send(request) or b"") + (http.send(h11.Data(data=body)) or b""))
    http.send(h11.EndOfMessage())
    status, content = 0, bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            try:
                http.receive_data(await stream.receive(65536))
            except anyio.EndOfStream:
                http.receive_data(b"")
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            content += event.data
            if len(content) > _MAX_BODY:
                raise h11.RemoteProtocolError("the answer is too long")
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return status, bytes(content)


def _decode_problem(status: int, raw: bytes) -> HttpError:
    try:
        problem = msgspec.json.decode(raw, type=_Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        problem = _Problem()
    return HttpError(status, problem.code, problem.detail or problem.title or "the server gave no reason")
