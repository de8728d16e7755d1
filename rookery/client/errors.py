"""The errors of the client library. `CommandRefused` is about a command; the others are about the connection."""

from __future__ import annotations


class ClientError(Exception):
    """The root of these errors."""


class CommandRefused(ClientError):
    """The server answered with `error`; the same command again gets the same answer, unless `retry_after_ms` says when.

    `code` is stable and machine-readable, such as `forbidden` or `invalid`; `message` tells people what to change.
    """

    def __init__(self, code: str, message: str, *, retry_after_ms: int | None = None, field: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after_ms = retry_after_ms
        self.field = field


class TimedOut(ClientError):
    """No answer came before the deadline. The command may still take effect: repeat a message with its `client_id`."""


class ConnectionLost(ClientError):
    """The connection ended, or could not be made, and this call does not outlive it."""


class HandshakeRejected(ClientError):
    """The server refused the opening handshake with this HTTP status, and would refuse it again."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server refused the WebSocket handshake with HTTP {status}; check the URL and the Origin")
        self.status = status


class AuthenticationFailed(ClientError):
    """The token is invalid or expired (close code 4001). Log in again."""


class AccountBlocked(ClientError):
    """The user is blocked on this server (close code 4003) and cannot connect again."""


class ClientClosed(ClientError):
    """The client was closed before the answer came."""


class HttpError(ClientError):
    """A REST call was refused. `code` is that of the problem document, or empty; `status` is HTTP's."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"HTTP {status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
