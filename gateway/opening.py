"""The opening handshake of a connection: bounded in bytes and in time, and cheap while it is half open.

A half-open handshake costs a socket and the bytes that came. If there are too many, the oldest is closed: a client that
finishes in time is never the oldest for long. But after a restart everybody comes at once, and then the oldest may be
young: nothing is accepted until it has had its time (see `gateway.acceptor`).
"""

from __future__ import annotations

import socket

from chat.errors import Unauthorized
from chat.tokens import Claims
from gateway.command_session import CommandSession
from gateway.connection import Connection
from gateway.node import Node
from gateway.websocket.errors import HandshakeError
from gateway.websocket.handshake import HandshakeRequest, OpeningHandshake

REQUEST_BYTES = 16 * 1024
_LINGER_SECONDS = 2.0
_TIME_TO_BEGIN = 1.0
"""Seconds that every client has for its handshake before it may be closed for another."""


class Opening:
    """The owner of a connection until it is a session, or is refused. Each ends with one result, which is counted."""

    __slots__ = ("_handshake", "_node", "accepted", "connection", "slot")

    def __init__(self, node: Node, connection: Connection) -> None:
        self._node = node
        self._handshake: OpeningHandshake | None = OpeningHandshake(REQUEST_BYTES)
        self.accepted = node.wheel.now
        self.connection = connection
        self.slot = -1
        node.wheel.set_timer(self, node.settings.handshake_seconds)

    def on_data(self, data: bytes) -> None:
        """Bytes of the request."""
        handshake = self._handshake
        if handshake is None:
            # Refused. What still comes is read and dropped: a socket that is closed with unread bytes is reset, and the
            # peer might lose the answer.
            return
        try:
            request = handshake.receive(data)
            if request is not None:
                self._decide_request(handshake, request)
        except HandshakeError as error:
            self._refuse_request(error.code, error.response)

    def _decide_request(self, handshake: OpeningHandshake, request: HandshakeRequest) -> None:
        node = self._node
        if request.target.partition("?")[0] != "/ws":
            self._refuse_request("not_found", handshake.reject(404, "not_found", "the WebSocket is at /ws"))
        elif node.registry.draining or node.full or node.welcomes.overdue:
            retry = [("Retry-After", str(max(1, node.draw_retry_ms() // 1000)))]
            response = handshake.reject(503, "unavailable", "this edge takes no connections now", retry)
            self._refuse_request("unavailable", response)
        elif not node.origins.allows_origin(request.origin, request.host):
            self._refuse_request("origin", handshake.reject(403, "origin", "this Origin is not on the allow-list"))
        else:
            try:
                token = _read_bearer_token(request)
                claims = None if token is None else node.keys.verify_token(token)
            except Unauthorized as error:
                challenge = [("WWW-Authenticate", 'Bearer error="invalid_token"')]
                self._refuse_request(error.code, handshake.reject(401, error.code, error.message, challenge))
                return
            self._accept_request(handshake, claims, token or "")

    def _accept_request(self, handshake: OpeningHandshake, claims: Claims | None, token: str) -> None:
        accepted = handshake.accept(deflate=self._node.settings.deflate)
        self._end("accepted")
        self._node.wheel.clear_timer(self)
        self._node.registry.openings.pop(self, None)
        session = CommandSession(self._node, self.connection, deflate=accepted.deflate)
        self.connection.owner = session
        self._node.registry.sessions.add(session)
        self.connection.gather(accepted.response)
        if claims is not None:
            session.authenticate(claims, token)
        if accepted.trailing:
            session.on_data(accepted.trailing)

    def _refuse_request(self, result: str, response: bytes) -> None:
        self._end(result)
        self._node.wheel.set_timer(self, _LINGER_SECONDS)
        self.connection.write(response)
        self.connection.end_writing()

    def _end(self, result: str) -> None:
        """The handshake has its result. What the connection does from here on changes it no more."""
        if self._handshake is not None:
            self._handshake = None
            self._node.counters.count_handshake(result)

    def displace(self) -> None:
        """Close the connection, to make room for another handshake."""
        self._end("displaced")
        self.connection.abort()

    def on_eof(self) -> None:
        """The peer sends no more, so it does not finish the handshake."""
        self.connection.abort()

    def on_slow(self) -> None:
        """The outbox is full. One short answer cannot fill it; to be safe, close."""
        self.connection.abort()

    def on_timer(self) -> None:
        """The handshake took too long, or the peer did not end a connection that was refused."""
        self._end("timeout")
        self.connection.abort()

    def on_lost(self) -> None:
        """The connection is gone."""
        self._end("lost")
        self._node.wheel.clear_timer(self)
        self._node.registry.openings.pop(self, None)


def _read_bearer_token(request: HandshakeRequest) -> str | None:
    if request.authorization is None:
        return None
    scheme, _, token = request.authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("the Authorization header takes `Bearer` and a token")
    return token.strip()


def has_room_for_handshake(node: Node) -> bool:
    """Whether a connection can be accepted without closing one that has had no time for its handshake yet."""
    openings = node.registry.openings
    if len(openings) < node.settings.max_handshakes:
        return True
    return node.wheel.now - next(iter(openings)).accepted >= _TIME_TO_BEGIN


def open_connection(node: Node, sock: socket.socket) -> None:
    """Take an accepted, non-blocking socket. If there are too many half-open handshakes, the oldest is closed."""
    openings = node.registry.openings
    if len(openings) >= node.settings.max_handshakes:
        next(iter(openings)).displace()
    connection = node.connect(node.mux, sock, node.limits.outbox_bytes)
    opening = Opening(node, connection)
    connection.owner = opening
    openings[opening] = None
