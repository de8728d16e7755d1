"""Sessions, one after the other: connect, authenticate, read and write until the session ends, wait, and connect again.

`_final_error` decides which errors end the client instead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import anyio
from anyio.abc import TaskGroup

from chat.concurrency import Backoff, Broadcast
from chat.wire.close import CloseCode
from rookery.client.calls import Call
from rookery.client.core import Core
from rookery.client.errors import (
    AccountBlocked,
    AuthenticationFailed,
    ClientError,
    ConnectionLost,
    HandshakeRejected,
    HttpError,
)
from rookery.client.events import BadFrame, Event
from rookery.client.tokens import Token, fetch_token, refresh_after
from rookery.client.transport import Dial, Ended, Url, WebSocket

_SETTLED_S = 10.0
"""After a session that lasted this long, the back-off starts from the beginning."""

_GOODBYE_S = 1.0
_REFRESH_PAUSE_S = 5.0


class Sessions:
    """Owns the connection of a client. `run_sessions` is its task; the rest is called by the client's methods."""

    def __init__(
        self,
        core: Core,
        url: Url,
        dial: Dial,
        token: Token,
        *,
        backoff: Backoff,
        connect_timeout: float,
        max_message: int,
    ) -> None:
        self.connections = 0
        self._core = core
        self._url = url
        self._dial = dial
        self._token = token
        self._backoff = backoff
        self._connect_timeout = connect_timeout
        self._max_message = max_message
        self._ended: ClientError | None = None
        self._last: Exception | None = None
        self._ws: WebSocket | None = None
        self._group: TaskGroup | None = None
        self._refused_tokens = 0
        self._changed = Broadcast()

    # What the client's methods use.

    def raise_if_ended(self) -> None:
        """Raise the error that ended the client, if it has ended."""
        if self._ended is not None:
            raise self._ended

    def hand_over(self) -> None:
        """Hand the core's frames to the connection, and wake all tasks that wait for a change."""
        ws = self._ws
        for frame in self._core.frames():
            if ws is not None:
                ws.send(frame.decode())
        for seconds, call in self._core.delays():
            if self._group is not None:
                self._group.start_soon(self._resend_later, seconds, call)
        self._changed.notify_all()

    async def next_event(self) -> Event:
        """Wait for an event. Raises the error that ended the client once those before it are taken."""
        await anyio.lowlevel.checkpoint()
        while (event := self._core.next_event()) is None:
            self.raise_if_ended()
            await self._changed.wait()
        if self._core.has_output:
            self.hand_over()
        return event

    async def first_session(self, timeout: float) -> None:
        """Wait until the first session is authenticated."""
        with anyio.move_on_after(timeout):
            while not self._core.ready:
                self.raise_if_ended()
                await self._changed.wait()
            return
        raise ConnectionLost(f"no session within {timeout} s; the last attempt: {self._last}") from self._last

    def end_client(self, error: ClientError) -> None:
        """End the client: every call, now and later, raises this error."""
        if self._ended is None:
            self._ended = error
            self._core.fail(error)
            self.hand_over()

    # The task.

    async def run_sessions(self) -> None:
        """Keep a session up until the client ends."""
        attempt = 0
        while self._ended is None:
            began = anyio.current_time()
            try:
                await self._run_session()
            except (Ended, ClientError, BadFrame, TimeoutError) as error:
                self._last = error
            lived = anyio.current_time() - began if self._core.ready else 0.0
            attempt = 0 if lived >= _SETTLED_S else attempt
            pause = self._pause_before_retry(attempt)
            final = self._final_error()
            self._core.lost(str(self._last or ""), pause)
            if final is not None:
                self.end_client(final)
                return
            self.hand_over()
            attempt += 1
            await anyio.sleep(pause)

    def _pause_before_retry(self, attempt: int) -> float:
        told = self._core.retry_after_ms
        return told / 1000 if told is not None else self._backoff.delay(attempt)

    def _final_error(self) -> ClientError | None:
        """The error that ends the client, or None when it comes back."""
        error, rejected = self._last, self._core.rejected
        if isinstance(error, HandshakeRejected) and error.status != 401:
            return error
        if isinstance(error, HttpError) and error.status in (400, 401, 403):
            return AuthenticationFailed(f"no new token could be fetched: {error}")
        if isinstance(rejected, AccountBlocked) or (isinstance(error, Ended) and error.code == CloseCode.BLOCKED):
            return rejected or AccountBlocked(str(error))
        if rejected is not None or _is_token_refused(error):
            return self._token_refused(rejected or AuthenticationFailed(f"the server refused the token: {error}"))
        if self._core.ready:
            self._refused_tokens = 0
        return None

    def _token_refused(self, error: ClientError) -> ClientError | None:
        """A fixed token is final. A function is asked once more, because its token may have expired on the way."""
        if isinstance(self._token, str):
            return error
        self._refused_tokens = 1 if self._core.ready else self._refused_tokens + 1
        return error if self._refused_tokens > 1 else None

    async def _run_session(self) -> None:
        """One session, from the first byte on. Raises what ended it."""
        with anyio.fail_after(self._connect_timeout):
            token = await fetch_token(self._token)
            ws = await WebSocket.open(self._dial, self._url, max_message=self._max_message)
        try:
            await self._use_connection(ws, token)
        finally:
            self._ws = None
            with anyio.move_on_after(_GOODBYE_S, shield=True):
                await ws.close()

    async def _use_connection(self, ws: WebSocket, token: str) -> None:
        ended: list[Exception] = []
        async with anyio.create_task_group() as group:
            guard = partial(_guard_task, group, ended)
            self._ws, self._group = ws, group
            self._core.open(token)
            self.hand_over()
            try:
                group.start_soon(guard, ws.write_output)
                group.start_soon(guard, partial(self._read_frames, ws))
                group.start_soon(guard, partial(self._watch_silence, ws))
                group.start_soon(guard, partial(self._refresh_token, token))
                await anyio.sleep_forever()
            finally:
                self._group = None
        raise ended[0] if ended else ConnectionLost("the connection ended")

    async def _read_frames(self, ws: WebSocket) -> None:
        while True:
            for text in await ws.receive():
                was_ready = self._core.ready
                self._core.receive(text)
                if self._core.ready and not was_ready:
                    self.connections += 1
            self.hand_over()

    async def _watch_silence(self, ws: WebSocket) -> None:
        """Raises `TimeoutError` when the server is silent: no answer to `auth`, or later not even a pong."""
        with anyio.move_on_after(self._connect_timeout):
            while not self._core.ready:
                await self._changed.wait()
        if not self._core.ready:
            raise TimeoutError("the server did not answer `auth`")
        while True:
            beat = self._core.heartbeat_s
            quiet = anyio.current_time() - ws.last_heard
            if quiet >= 2 * beat:
                raise TimeoutError(f"the server sent nothing for {quiet:.0f} s")
            if quiet >= beat:
                ws.ping()
            await anyio.sleep(max(beat / 2, 0.01))

    async def _refresh_token(self, token: str) -> None:
        """Replaces the token before it expires; if that fails, the server closes with 4001 and a new session begins."""
        if isinstance(self._token, str):
            return
        while (seconds := refresh_after(token)) is not None:
            await anyio.sleep(max(_REFRESH_PAUSE_S, seconds))
            with suppress(ClientError):  # the next try follows
                token = await fetch_token(self._token)
                if self._core.ready:
                    self._core.call("refresh", {"token": token}, keep=False)
                    self.hand_over()

    async def _resend_later(self, seconds: float, call: Call) -> None:
        await anyio.sleep(seconds)
        self._core.resend(call)
        self.hand_over()


def _is_token_refused(error: Exception | None) -> bool:
    if isinstance(error, Ended):
        return error.code == CloseCode.TOKEN_INVALID
    return isinstance(error, HandshakeRejected)


async def _guard_task(group: TaskGroup, ended: list[Exception], task: Callable[[], Awaitable[None]]) -> None:
    """Runs a part of a session. One of the expected errors ends the session, and does not become a group of errors."""
    try:
        await task()
    except (Ended, ClientError, BadFrame, TimeoutError) as error:
        ended.append(error)
        group.cancel_scope.cancel()
