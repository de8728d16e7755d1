"""How many clients a second shake hands, log in by JWT and subscribe, what does each cost, and who notices?

Method: one `rookery serve` on a core of its own, the clients in one process on the other. A client connects, sends its
handshake, after the 101 its `auth`, after the `ok` all its `subscribe`s in one write; it is live when all are answered.
Frames are made before the clock starts, and answers are counted by scanning. Three ways in, each with users of their
own, so every token is checked for the first time:

- steady: so many are under way at once; the next one begins when one is live.
- storm: all begin at once, while others, connected before, send a ping each few milliseconds.
- resume: all who were live are cut off, and all come back at once with `since`; some messages were said meanwhile.

CPU is the server's, of all its threads, for each client that came to be live. Whoever is refused is counted by how.
"""

from __future__ import annotations

import argparse
import base64
import collections
import json
import multiprocessing
import os
import resource
import select
import socket
import time
import uuid
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe

from perf.loadclient import Session, frames, masked
from perf.percentiles import percentile
from perf.served import CLIENT_CORE, Served, served

MEMBERS = 50
MOST_ROOMS = 20
PING_SECONDS = 0.005
PINGERS = 20
DEADLINE_SECONDS = 80.0
_OK = b'"type":"ok"'


class Plan:
    """What one client sends, made before the clock starts."""

    __slots__ = ("auth", "rooms", "subscribes")

    def __init__(self, token: str, rooms: Sequence[str], since: int | None = None) -> None:
        self.auth = masked(json.dumps({"type": "auth", "id": 1, "token": token}).encode())
        self.rooms = len(rooms)
        more = {} if since is None else {"since": since}
        commands = ({"type": "subscribe", "id": number, "room": room, **more} for number, room in enumerate(rooms, 2))
        self.subscribes = b"".join(masked(json.dumps(command).encode()) for command in commands)


class Client:
    """One client on its way in. `step` reads what came, and writes what follows."""

    __slots__ = ("_cut", "answered", "plan", "sock", "stage")

    def __init__(self, plan: Plan, sock: socket.socket) -> None:
        self.plan = plan
        self.sock = sock
        self.stage = 0  # connecting, shaking hands, logging in, subscribing
        self.answered = 0
        self._cut = b""  # the end of what came, where an answer may be cut in two

    def step(self, request: bytes) -> str | None:
        """How it ended, if it did: "live", or how it was refused."""
        if self.stage == 0:
            if self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return "not connected"
            self.sock.send(request)
            self.stage = 1
            return None
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return None
        except OSError:
            return "reset"
        return self._answer(data) if data else "closed"

    def _answer(self, data: bytes) -> str | None:
        if self.stage == 1 and not data.startswith(b"HTTP/1.1 101"):
            return f"HTTP {data[9:12].decode()}"
        if b'"type":"closing"' in data or b'"type":"error"' in data:
            return "refused after it was begun"
        if self.stage == 3:
            data = self._cut + data
            self.answered += data.count(_OK)
            self._cut = data[1 - len(_OK) :]
            return "live" if self.answered == self.plan.rooms else None
        self.sock.send(self.plan.auth if self.stage == 1 else self.plan.subscribes)
        self.stage += 1
        return None


class Result:
    """What became of the clients: how each ended, and the sockets of those that are live."""

    def __init__(self) -> None:
        self.ends: collections.Counter[str] = collections.Counter()
        self.live: list[socket.socket] = []
        self.seconds = 0.0
        self.cpu = 0.0


def bring_in(server: Served, plans: Sequence[Plan], at_once: int) -> Result:
    """Bring all clients in, so many at once. Raises `TimeoutError` after `DEADLINE_SECONDS`."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET /ws HTTP/1.1\r\nHost: {server.ws[0]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    result, waiting, under_way = Result(), list(reversed(plans)), dict[int, Client]()
    poll = select.epoll()
    began, cpu = time.monotonic(), server.cpu()
    while waiting or under_way:
        if time.monotonic() - began > DEADLINE_SECONDS:
            raise TimeoutError(f"after {DEADLINE_SECONDS:g} s {len(waiting) + len(under_way)} clients are not live")
        while waiting and len(under_way) < at_once:
            sock = socket.socket()
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect_ex(server.ws)
            poll.register(sock.fileno(), select.EPOLLOUT)
            under_way[sock.fileno()] = Client(waiting.pop(), sock)
        for fd, _ in poll.poll(0.1, 256):
            client = under_way[fd]
            connecting = client.stage == 0
            end = client.step(request)
            if end is not None:
                result.ends[end] += 1
                poll.unregister(fd)
                del under_way[fd]
                if end == "live":
                    result.live.append(client.sock)
                else:
                    client.sock.close()
            elif connecting:
                poll.modify(fd, select.EPOLLIN)
    result.seconds, result.cpu = time.monotonic() - began, server.cpu() - cpu
    poll.close()
    return result


def receive(sock: socket.socket) -> bytes:
    """Bytes from a session that stays. Raises `ConnectionError` when the server has closed it."""
    data = sock.recv(65536)
    if not data:
        raise ConnectionError("the server has closed a session that should stay open")
    return data


def ping_until_told(address: tuple[str, int], tokens: Sequence[str], pipe: Pipe) -> None:
    """In a process of its own: sessions that ping in turn, and note how long each pong took. A text starts a list of
    times and answers with the one before; an empty one ends it."""
    os.sched_setaffinity(0, {CLIENT_CORE})
    sessions = [Session(address, token) for token in tokens]
    for session in sessions:
        session.sock.settimeout(DEADLINE_SECONDS)
    times: list[float] = []
    pipe.send([])
    number = 0
    while True:
        if pipe.poll():
            name = pipe.recv()
            pipe.send(times)
            times = []
            if not name:
                return
        session = sessions[number % len(sessions)]
        number += 1
        began = time.monotonic()
        session.sock.sendall(b"\x89\x80\x00\x00\x00\x00")
        data = b""
        while b"\x8a\x00" not in data:
            data = receive(session.sock)
        times.append(time.monotonic() - began)
        time.sleep(max(0.0, PING_SECONDS - times[-1]))


class Pingers:
    """The process of those who were connected before."""

    def __init__(self, server: Served) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        arguments = (server.ws, server.tokens[-PINGERS:], theirs)
        self._process = multiprocessing.Process(target=ping_until_told, args=arguments)
        self._process.start()
        self._pipe.recv()

    def lap(self, name: str = "next") -> list[float]:
        """The times since the last call, in seconds."""
        self._pipe.send(name)
        times: list[float] = self._pipe.recv()
        return times

    def stop(self) -> None:
        self.lap("")
        self._process.join()


def show(name: str, result: Result, pings: Sequence[float] = ()) -> None:
    live = result.ends.pop("live", 0)
    refused = ", ".join(f"{count} {end}" for end, count in result.ends.items()) or "nobody refused"
    felt = f"; ping p50 {percentile(pings, 0.5):.1f} ms, p99 {percentile(pings, 0.99):.1f} ms" if pings else ""
    print(
        f"{name:<24} {live / result.seconds:6.0f}/s, {result.cpu / max(1, live) * 1e6:5.0f} µs CPU each,"
        f" the last after {result.seconds:5.2f} s; {refused}{felt}",
        flush=True,
    )


def leave(result: Result) -> None:
    """Cut the live ones off."""
    for sock in result.live:
        sock.close()


def say(server: Served, rooms: Sequence[str], token: str) -> None:
    """A message in each of the rooms, which those who resume have missed."""
    session = Session(server.ws, token)
    session.sock.settimeout(DEADLINE_SECONDS)
    for number, room in enumerate(rooms, 1):
        command = {"type": "send", "id": number, "room": room, "text": "a word", "client_id": str(uuid.uuid4())}
        session.sock.sendall(masked(json.dumps(command).encode()))
    answered, left = 0, b""
    while answered < len(rooms):
        found, left = frames(left + receive(session.sock))
        answered += sum(b'"type":"ok"' in each for each in found)
    session.sock.close()


def measure(server: Served, clients: int, at_once: int) -> None:
    blocks = len(server.tokens) // MEMBERS  # of users with the same rooms: the seed puts neighbours into a room
    rooms_of = [server.rooms[user // MEMBERS :: blocks] for user in range(len(server.tokens))]

    def plans(batch: int, rooms: int, since: int | None = None) -> list[Plan]:
        users = range(batch * clients, (batch + 1) * clients)
        return [Plan(server.tokens[user], rooms_of[user][:rooms], since) for user in users]

    leave(bring_in(server, plans(0, 1)[: min(200, clients)], at_once))  # what is made once
    for batch, rooms in ((1, 1), (2, MOST_ROOMS)):
        result = bring_in(server, plans(batch, rooms), at_once)
        show(f"steady, {rooms} rooms each", result)
        leave(result)
    pingers = Pingers(server)
    try:
        time.sleep(2)
        pings = pingers.lap()
        print(
            f"those who are connected: ping p50 {percentile(pings, 0.5):.1f} ms, p99 {percentile(pings, 0.99):.1f} ms"
        )
        storm = plans(3, MOST_ROOMS)
        pingers.lap()
        result = bring_in(server, storm, clients)
        show(f"storm, {MOST_ROOMS} rooms each", result, pingers.lap())
        leave(result)
        first = 3 * clients
        for block in range(first // MEMBERS, (first + clients) // MEMBERS):
            say(server, rooms_of[block * MEMBERS][:1], server.tokens[block * MEMBERS])
        resume = plans(3, MOST_ROOMS, 0)
        pingers.lap()
        result = bring_in(server, resume, clients)
        show(f"resume, {MOST_ROOMS} rooms each", result, pingers.lap())
        leave(result)
    finally:
        pingers.stop()


def main() -> None:
    """Print a line for each way in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=2000, help="of each way in (default: 2000)")
    parser.add_argument("--at-once", type=int, default=100, help="under way at once when steady (default: 100)")
    parser.add_argument("--backend", default="uvloop")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = -(-options.clients // MEMBERS) * MEMBERS
    users = 4 * clients + MEMBERS
    rooms = users // MEMBERS * MOST_ROOMS
    with served(users=users, rooms=rooms, members=MEMBERS, backend=options.backend) as server:
        measure(server, clients, options.at_once)


if __name__ == "__main__":
    main()
