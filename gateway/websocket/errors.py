"""Errors of a WebSocket: of the peer's frames, of the handshake, and of the caller."""

from __future__ import annotations

from chat.errors import Refused, RookeryError


class ProtocolError(Refused):
    """The peer violated RFC 6455 or a limit: the connection must be failed (section 7.1.7).

    `close_code` and `reason` (ASCII, without data of the peer) are for the Close frame. `events` are those that were
    complete before the violation in the same call; they are valid, and no later call gives them.
    """

    code = "protocol_error"

    def __init__(self, close_code: int, reason: str) -> None:
        super().__init__(reason)
        self.close_code = close_code
        self.reason = reason
        self.events: list[tuple[int, bytes]] = []


class HandshakeError(Refused):
    """The opening handshake failed: send `response` (a whole HTTP response of this `status`), and close."""

    def __init__(self, status: int, code: str, message: str, response: bytes) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.response = response


class StateError(RookeryError):
    """The caller asked for what the connection's state does not allow: a defect of this program, not of the peer."""

    code = "websocket_state"
