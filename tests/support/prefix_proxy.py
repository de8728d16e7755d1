"""A reverse proxy for tests: serves a server's HTTP and its edge under a path, as `/chat/`, on one address."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_HEAD_LIMIT = 65_536
_REQUEST_LINE = re.compile(rb"^([A-Z]+) (\S+) (HTTP/1\.1)\r\n")


class PrefixProxy(socketserver.ThreadingTCPServer):
    """Listens at once; set `http` and `ws`, each `host:port`, before the first request comes."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, prefix: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.prefix = prefix.encode()
        self.http = self.ws = ""
        self.address = f"127.0.0.1:{self.server_address[1]}"

    def rewrite(self, head: bytes) -> tuple[str, bytes]:
        """Where a request goes, and its head without the prefix. One request a connection, but for WebSockets."""
        line = _REQUEST_LINE.match(head)
        if line is None or not line[2].startswith(self.prefix + b"/"):
            return "", b""
        path = line[2].removeprefix(self.prefix)
        rest = head[line.end() :]
        if path == b"/ws":
            return self.ws, b"%s %s %s\r\n%s" % (line[1], path, line[3], rest)
        rest = re.sub(rb"(?im)^connection:[^\r]*\r\n", b"", rest)
        return self.http, b"%s %s %s\r\nConnection: close\r\n%s" % (line[1], path, line[3], rest)


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        proxy, received = self.server, b""
        assert isinstance(proxy, PrefixProxy)
        with suppress(OSError):
            while b"\r\n\r\n" not in received and len(received) < _HEAD_LIMIT:
                data = self.request.recv(4096)
                if not data:
                    return
                received += data
            target, head = proxy.rewrite(received)
            if not target:
                self.request.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                server.sendall(head)
                forth = threading.Thread(target=_copy, args=(self.request, server), daemon=True)
                forth.start()
                _copy(server, self.request)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def open_proxy(prefix: str) -> Iterator[PrefixProxy]:
    """A proxy that runs."""
    with PrefixProxy(prefix) as proxy:
        serving = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            serving.join()
