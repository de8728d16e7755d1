"""Accepting connections: many in one turn, and never more than the process can hold."""

from __future__ import annotations

import errno
import logging
import socket
from typing import cast

from gateway.multiplexer import READ
from gateway.node import Node
from gateway.opening import has_room_for_handshake, open_connection

logger = logging.getLogger(__name__)
_BATCH = 16
_BACKLOG = 4096
_PAUSE_SECONDS = 1.0
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE})


def bind_listener(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    """A listening, non-blocking TCP socket; `reuse_port` lets several processes share the address.

    Raises `OSError` if the address is taken, or is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


class Acceptor:
    """A listening socket in the multiplexer."""

    __slots__ = ("_kind", "_node", "_sock", "fd", "slot")

    def __init__(self, node: Node, sock: socket.socket) -> None:
        self._node = node
        self._sock = sock
        self._kind = int(sock.family), int(sock.type), sock.proto  # a look at them takes longer than a system call
        self.fd = sock.fileno()
        self.slot = -1
        node.mux.add_newcomer(self.fd, self)

    def on_ready(self, mask: int) -> None:  # noqa: ARG002 - a listening socket is only ever readable
        """Connections wait in the backlog: take many of them, but leave other sockets their part of the turn.

        While more sessions are being begun than can be finished soon, take none.
        """
        for intake in (self._node.welcomes, self._node.subscribing):
            if intake.full:
                self._node.mux.change(self.fd, 0)
                intake.call_when_free(self.on_timer)
                return
        for _ in range(_BATCH):
            if not has_room_for_handshake(self._node):
                self._pause()
                return
            try:
                sock, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause_accepting(error)
                return
            self._open_accepted(sock)

    def _open_accepted(self, sock: socket.socket) -> None:
        node = self._node
        node.counters.connections += 1
        try:
            if self._kind[0] != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock = self._strip_socket(sock)
            sock.setblocking(False)
            open_connection(node, sock)
        except OSError as error:
            logger.warning("a connection was dropped as it was accepted: %s", error.strerror)
            sock.close()

    def _strip_socket(self, sock: socket.socket) -> socket.socket:
        """The same without what Python's class adds to it, which no session needs, and which takes 40 bytes of each."""
        return cast("socket.socket", socket.SocketType(*self._kind, sock.detach()))

    def _pause_accepting(self, error: OSError) -> None:
        """No descriptor or memory is left, or the network failed: for a while, connections stay in the backlog."""
        advice = "raise the limit of open files" if error.errno in _EXHAUSTED else "the edge tries again soon"
        logger.error("no connection can be accepted: %s; %s", error.strerror, advice)
        self._pause()

    def _pause(self) -> None:
        self._node.mux.change(self.fd, 0)
        self._node.wheel.set_timer(self, _PAUSE_SECONDS)

    def on_timer(self) -> None:
        """Try again. Also called when sessions that were being begun have made room."""
        if self.fd >= 0:
            self._node.mux.change(self.fd, READ)

    def refuse_waiting(self) -> None:
        """Accept what waits, all at once, so that it is not reset when the socket is closed. The edge drains, so each
        gets a 503."""
        for _ in range(_BACKLOG):
            try:
                sock, _ = self._sock.accept()
            except OSError:
                return
            self._open_accepted(sock)

    def abort(self) -> None:
        """Accept no more."""
        if self.fd >= 0:
            self._node.wheel.clear_timer(self)
            self._node.mux.remove(self.fd)
            self.fd = -1
            self._sock.close()
