"""How long do a ping and a message of one session take, while others load REST in the same process as hard as they can?

Each load is its own process on the client's core: connections that send a request again and again, each as soon as the
answer to the one before is there. The server is one `rookery serve` on a core of its own, without limits of rate.
The session under test sends a ping, waits for its pong, sends a message to a room, and waits for its event; again and
again. So the figures are those of a client that nobody limits; the first line is the same without any load.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable

from perf.loadclient import Session, frames, masked
from perf.percentiles import percentile
from perf.served import Served, served

MEBIBYTE = 1 << 20
TEXT_BYTES = 16_000


def encode_request(method: str, path: str, token: str = "", body: bytes = b"") -> bytes:
    """A request of HTTP/1.1."""
    lines = [f"{method} {path} HTTP/1.1", "Host: rookery.example", "Accept-Encoding: br, gzip"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def make_loads(tokens: list[str], room: str) -> dict[str, Callable[[int], bytes]]:
    """Name → the request of each connection, by its number."""

    def call(path: str) -> Callable[[int], bytes]:
        return lambda number: encode_request("GET", path, tokens[number % len(tokens)])

    def post(path: str, body: bytes) -> Callable[[int], bytes]:
        return lambda number: encode_request("POST", path, tokens[number % len(tokens)], body)

    log_in = json.dumps({"name": "user0", "password": "a wrong password"}).encode()
    return {
        "health": call("/healthz"),
        "who am I": call("/api/auth/me"),
        "pages of 1 MiB": call(f"/api/rooms/{room}/messages?limit=200"),
        "searches that find nothing": call("/api/search?q=xylophone+quartz"),
        "searches that find much": call("/api/search?q=lorem&limit=200"),
        "lists of lists, 1 MiB": post("/api/presence", b"[" + b"[]," * (MEBIBYTE // 3 - 2) + b"[]]"),
        "numbers, 1 MiB": post("/api/presence", b"[" + b"0," * (MEBIBYTE // 2 - 2) + b"0]"),
        "numbers, 20 KB": post("/api/presence", b"[" + b"0," * 9_000 + b"0]"),
        "a string of 1 MiB": post("/api/presence", b'{"users":["' + b"x" * (MEBIBYTE - 20) + b'"]}'),
        "1,000 ids": post("/api/presence", json.dumps({"users": [str(uuid.uuid4()) for _ in range(1000)]}).encode()),
        "1,000 wrong ids": post("/api/presence", json.dumps({"users": ["x"] * 1000}).encode()),
        "wrong passwords": post("/api/auth/login", log_in),
        "the OpenAPI document": call("/api/openapi.json"),
        "the page": call("/"),
        "metrics": call("/metrics"),
    }


class Caller:
    """A connection that sends its request again whenever it was answered."""

    def __init__(self, address: tuple[str, int], request: bytes) -> None:
        self._address = address
        self._request = request
        self.answered = 0
        self.status = "none"
        self._open()

    def _open(self) -> None:
        self.sock = socket.create_connection(self._address)
        self.sock.setblocking(False)
        self._left = memoryview(self._request)
        self._received = bytearray()

    def step(self) -> int:
        """Write and read what is possible; the events to wait for next."""
        if self._left:
            self._left = self._left[self.sock.send(self._left) :]
        try:
            while data := self.sock.recv(1 << 18):
                self._received += data
        except BlockingIOError:
            data = b"there will be more"
        head, end, _ = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if end and len(self._received) >= len(head) + 4 + int(length or 0):
            self.answered += 1
            self.status = head[9:12].decode()
            if b"connection: close" in head.lower():
                data = b""
            self._received.clear()
            self._left = memoryview(self._request)
        if not data:
            raise ConnectionError
        return select.EPOLLIN | (select.EPOLLOUT if self._left else 0)

    def restart(self) -> None:
        """A new connection."""
        self.sock.close()
        self._open()


def run_load(address: tuple[str, int], requests: list[bytes]) -> None:
    """Until standard input ends; then it prints how many answers came. The first output says that one came."""
    os.nice(5)
    callers: dict[int, Caller] = {}
    poll = select.epoll()
    answered = False
    for request in requests:
        caller = Caller(address, request)
        callers[caller.sock.fileno()] = caller
        poll.register(caller.sock.fileno(), select.EPOLLIN | select.EPOLLOUT)
    while not select.select([sys.stdin], [], [], 0)[0]:
        for fd, _ in poll.poll(0.1):
            caller = callers[fd]
            try:
                poll.modify(fd, caller.step())
            except BlockingIOError:
                continue
            except OSError:
                del callers[fd]
                caller.restart()
                callers[caller.sock.fileno()] = caller
                poll.register(caller.sock.fileno(), select.EPOLLIN | select.EPOLLOUT)
            else:
                answered = answered or _say_answered(caller)
    statuses = sorted({caller.status for caller in callers.values()})
    print(f"{sum(caller.answered for caller in callers.values())} answers, {' '.join(statuses)}")


def _say_answered(caller: Caller) -> bool:
    """Whether this connection was answered; then it says so, once."""
    if caller.answered:
        print("   ", end="", flush=True)
    return bool(caller.answered)


class Subject:
    """The session under test."""

    def __init__(self, server: Served) -> None:
        self.session = Session(server.ws, server.tokens[0], [server.rooms[0]])
        self.session.sock.setblocking(True)
        self.session.sock.settimeout(30)
        self._room = server.rooms[0]

    def time_ping(self) -> float:
        """Seconds until its pong."""
        begun = time.perf_counter()
        self.session.sock.sendall(b"\x89\x80\0\0\0\0")
        self._await(lambda data: b"\x8a\0" in data)
        return time.perf_counter() - begun

    def time_message(self, text: str = "x" * 60) -> float:
        """Seconds until the session has its own message as an event."""
        client_id = str(uuid.uuid4())
        command = {"type": "send", "id": 7, "room": self._room, "text": text, "client_id": client_id}
        begun = time.perf_counter()
        self.session.sock.sendall(masked(json.dumps(command).encode()))
        wanted = client_id.encode()
        self._await(lambda data: any(b'"message"' in each and wanted in each for each in frames(data)[0]))
        return time.perf_counter() - begun

    def _await(self, done: Callable[[bytes], bool]) -> None:
        data = b""
        while not done(data):
            data += self.session.sock.recv(1 << 18)


def fill_room(server: Served, messages: int) -> None:
    """Store texts that make pages of 1 MiB, and terms that a search has to look at."""
    writer = Subject(server)
    for number in range(messages):
        writer.time_message(("lorem ipsum dolor sit amet " * 700)[: TEXT_BYTES if number % 3 == 0 else 300])
    writer.session.sock.close()


def measure(server: Served, seconds: float) -> None:
    """Print a line of figures."""
    subject = Subject(server)
    pings, messages = [], []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pings.append(subject.time_ping())
        messages.append(subject.time_message())
        time.sleep(0.002)
    subject.session.sock.close()
    for name, values in (("ping", pings), ("message", messages)):
        figures = " ".join(f"{percentile(values, share):7.1f}" for share in (0.5, 0.99, 1))
        print(f"   {name}: {figures}", end="")
    print(f"   of {len(pings)};", end="", flush=True)


def main() -> None:
    """Measure, or load a server for a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--messages", type=int, default=600)
    parser.add_argument("--backend", default="uvloop")
    parser.add_argument("--only", default="", help="loads whose name holds this")
    parser.add_argument("--load", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        sent = json.loads(sys.stdin.buffer.readline())
        loads = make_loads(sent["tokens"], sent["room"])
        requests = [loads[options.load](number) for number in range(options.connections)]
        run_load(tuple(sent["http"]), requests)
        return
    print(f"{'load':<28}   median, p99 and longest, in ms")
    with served(users=50, rooms=2, members=50, backend=options.backend) as server:
        fill_room(server, options.messages)
        host, _, port = server.http.removeprefix("http://").rpartition(":")
        sent = json.dumps({"tokens": server.tokens[1:], "room": server.rooms[0], "http": [host, int(port)]}).encode()
        print(f"{'nothing':<28}", end="")
        measure(server, options.seconds)
        print()
        for name in make_loads([""], ""):
            if options.only not in name:
                continue
            command = [sys.executable, "-m", "perf.fairness", "--load", name, f"--connections={options.connections}"]
            load = subprocess.Popen(command, stdin=subprocess.PIPE)
            assert load.stdin is not None
            load.stdin.write(sent + b"\n")
            load.stdin.flush()
            time.sleep(1.0)  # until it has connected
            print(f"{name:<28}", end="")
            try:
                measure(server, options.seconds)
            finally:
                load.stdin.close()
                load.wait(30)


if __name__ == "__main__":
    main()
