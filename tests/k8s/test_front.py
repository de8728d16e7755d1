"""The nginx of the overlay dev, with its own settings: each path goes where it should, and sockets pass."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts.lib.servers import nginx
from scripts.lib.servers.process import Needs
from tests.support.named_hosts import NamedHosts

pytestmark = pytest.mark.slow
SETTINGS = Path(__file__).resolve().parents[2] / "k8s/overlays/dev/nginx.conf"
PORTS = {"edge": 8001, "auth-service": 8000, "moderation-service": 8000, "chat-service": 8000}
NAMES = {name: f"127.0.43.{number}" for number, name in enumerate(PORTS, 1)}
FRONT = "127.0.43.100"


class Echo(BaseHTTPRequestHandler):
    """Answers with its own address, and what it was asked."""

    def do_GET(self) -> None:
        heard = ("Host", "Upgrade", "Connection", "X-Forwarded-For")
        body = "\n".join([self.connection.getsockname()[0], *(f"{name}: {self.headers[name]}" for name in heard)])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def front(tmp_path: Path) -> Iterator[str]:
    """HOST:PORT of the nginx, with a server in the place of each role."""
    hosts = NamedHosts(tmp_path, NAMES)
    try:
        program = nginx.binary()
    except Needs as missing:
        pytest.skip(str(missing))
    folder = tmp_path / "front"
    folder.mkdir()
    settings = SETTINGS.read_text().replace("listen 8080", f"listen {FRONT}:8080").replace("/tmp/", f"{folder}/")  # noqa: S108
    (folder / "nginx.conf").write_text(settings)
    command = [str(program), "-g", "daemon off;", "-c", str(folder / "nginx.conf")]
    with ExitStack() as stack:
        for name, port in PORTS.items():
            server = ThreadingHTTPServer((NAMES[name], port), Echo)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, daemon=True).start()
        process = hosts.make_process(folder, command, lambda: ask(f"{FRONT}:8080", "/front/healthz")[0] == 204)
        stack.callback(process.stop)
        process.launch()
        process.await_ready()
        yield f"{FRONT}:8080"


def ask(front: str, path: str, **headers: str) -> tuple[int, str]:
    """The status and the body; (0, "") while nobody answers."""
    connection = http.client.HTTPConnection(front, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except OSError:
        return 0, ""
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/ws", "edge"),
        ("/api/auth/login", "auth-service"),
        ("/api/moderation/cases", "moderation-service"),
        ("/api/rooms", "chat-service"),
        ("/", "chat-service"),
        ("/api/authority", "chat-service"),
    ],
)
def test_each_path_goes_to_its_role(front: str, path: str, role: str) -> None:
    status, body = ask(front, path, Host="localhost:8080")
    assert (status, body.partition("\n")[0]) == (200, NAMES[role])
    assert "Host: localhost:8080" in body
    assert re.search(r"X-Forwarded-For: 127\.", body)


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz", "/metrics/", "//metrics", "/a/../metrics"])
def test_probes_and_metrics_are_for_nobody(front: str, path: str) -> None:
    assert ask(front, path)[0] == 404


def test_an_upgrade_reaches_the_edge(front: str) -> None:
    _, body = ask(front, "/ws", Upgrade="websocket", Connection="Upgrade")
    assert "Upgrade: websocket" in body
    assert "Connection: upgrade" in body
