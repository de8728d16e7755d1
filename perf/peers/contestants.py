"""Who takes part: each server, how it is started, what it can do, and what it leaves out."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from perf.peers.profiling import Watch, watch_nothing
from perf.peers.wires import BareWire, CentrifugeWire, RoomWire, SocketIoWire, Wire
from perf.served import SERVER_CORE, Served, claim_core, served

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "output" / "peers"
START_SECONDS = 20


@dataclass(frozen=True)
class Contestant:
    """A server of the comparison. `kit` is what must be installed for it."""

    name: str
    what: str
    kit: str
    command: tuple[str, ...]
    wire: Wire
    can: frozenset[str]
    leaves_out: str
    environ: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Crowd:
    """How many users and rooms there are; room r has the users from r × members on, in turn."""

    users: int
    rooms: int = 0
    members: int = 0


@dataclass
class Spent:
    """CPU of a server over a measured period, and the length of the period, both in seconds."""

    cpu: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Started:
    """A running contestant, with tokens and names to use it by."""

    contestant: Contestant
    server: Served
    users: list[str]
    watch: Watch = watch_nothing

    @contextmanager
    def spending(self) -> Iterator[Spent]:
        """Measure the server's CPU over the context, and watch it meanwhile."""
        spent = Spent()
        with self.watch(self.server.pid):
            before, began = self.server.cpu(), time.monotonic()
            try:
                yield spent
            finally:
                spent.cpu, spent.seconds = self.server.cpu() - before, time.monotonic() - began

    @property
    def port(self) -> int:
        """Its port on loopback."""
        return self.server.ws[1]


_ALL = frozenset({"room", "jwt", "history", "dm", "deflate", "idle"})
_MEMORY = "storage that survives the process, membership, one `client_id` one message, presence"
_NODE, _PYTHON = str(OUTPUT / "node"), str(OUTPUT / "python" / "bin" / "python")
_SERVERS = ROOT / "perf" / "peers" / "python"


def _python(name: str, what: str, script: str, *arguments: str, can: frozenset[str] = _ALL | {"echo"}) -> Contestant:
    command = (_PYTHON, str(_SERVERS / script), *arguments)
    return Contestant(name, what, "python", command, RoomWire(), can, _MEMORY)


CONTESTANTS = (
    Contestant("rookery", "Rookery: `rookery serve` on SQLite", "none", (), RoomWire(), _ALL, "nothing"),
    Contestant(
        "rookery-trio",
        "Rookery on trio",
        "none",
        (),
        RoomWire(),
        _ALL,
        "nothing",
        {"backend": "trio"},
    ),
    Contestant(
        "rookery-echo",
        "Rookery's WebSocket layer alone",
        "none",
        (sys.executable, "-m", "perf.peers.echo"),
        RoomWire(),
        frozenset({"echo"}),
        "everything but RFC 6455",
    ),
    Contestant(
        "centrifuge",
        "centrifuge, Go, one processor",
        "go",
        (str(OUTPUT / "bin" / "centrifuge"),),
        CentrifugeWire(),
        _ALL,
        _MEMORY,
        {"GOMAXPROCS": "1"},
    ),
    Contestant(
        "ws", "ws, Node", "node", ("node", f"{_NODE}/ws.mjs"), RoomWire(), _ALL | {"echo"}, _MEMORY
    ),
    Contestant(
        "socket.io",
        "Socket.IO, Node",
        "node",
        ("node", f"{_NODE}/socketio.mjs"),
        SocketIoWire(),
        _ALL | {"echo"},
        _MEMORY,
    ),
    _python("websockets", "websockets with `broadcast()`, uvloop", "websockets_server.py", "asyncio"),
    _python("websockets-trio", "websockets with `broadcast()`, trio", "websockets_server.py", "trio"),
    _python("picows", "picows, uvloop", "picows_server.py", can=(_ALL | {"echo"}) - {"deflate"}),
    _python("uvicorn", "Starlette on uvicorn, uvloop", "starlette_server.py", "uvicorn"),
    _python("hypercorn", "Starlette on hypercorn, uvloop", "starlette_server.py", "hypercorn"),
    _python("channels", "Django Channels in memory, uvicorn", "channels_server.py"),
    Contestant(
        "send", "the limit: a bare loop of send(2) in C", "cc", (str(OUTPUT / "bin" / "limit"), "send"), BareWire(),
        frozenset({"room"}), "everything",
    ),
    Contestant(
        "io_uring", "the limit: batches of sends by io_uring in C", "cc", (str(OUTPUT / "bin" / "limit"), "io_uring"),
        BareWire(), frozenset({"room"}), "everything",
    ),
)  # fmt: skip


@contextmanager
def started(
    contestant: Contestant, crowd: Crowd, *, ping_seconds: float = 25, deflate: bool = False
) -> Iterator[Started]:
    """Start it on the server's core with these users and rooms, and stop it by its process id."""
    if contestant.kit == "none" and not contestant.command:
        backend = contestant.environ.get("backend", "uvloop")
        settings = {"ROOKERY_HEARTBEAT_SECONDS": str(ping_seconds)}
        with served(users=crowd.users, rooms=crowd.rooms, members=crowd.members, backend=backend, **settings) as server:
            yield Started(contestant, server, [_read_subject(token) for token in server.tokens])
        return
    with tempfile.TemporaryDirectory(prefix="rookery-peer-") as folder:
        key = Ed25519PrivateKey.generate()
        public = Path(folder, "public.pem")
        public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        users = [str(uuid.uuid4()) for _ in range(crowd.users)]
        rooms = [str(uuid.uuid4()) for _ in range(crowd.rooms)]
        tokens = [_issue_token(key, user, f"perf-{at}") for at, user in enumerate(users)]
        port = find_free_port()
        environ = {
            **os.environ,
            **contestant.environ,
            "PORT": str(port),
            "PUBLIC_KEY": str(public),
            "PING_SECONDS": str(ping_seconds),
            "DEFLATE": "1" if deflate else "",
            "NODE_ENV": "production",
        }
        with open(Path(folder, "log"), "w+") as log:
            process = subprocess.Popen(contestant.command, env=environ, stdout=log, stderr=log, cwd=ROOT)
            try:
                claim_core(process.pid, SERVER_CORE)
                _wait_for_port(process, port, Path(folder, "log"))
                yield Started(contestant, Served(process.pid, ("127.0.0.1", port), "", tokens, rooms), users)
            finally:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def find_free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait_for_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"a contestant did not start: {log.read_text()[-500:]}") from None
            time.sleep(0.05)
        else:
            return


def _issue_token(key: Ed25519PrivateKey, user: str, name: str) -> str:
    """A token with the claims of one of ours."""
    now = int(time.time())
    claims = {
        "iss": "rookery", "aud": "rookery", "sub": user, "name": name, "sid": user, "jti": user,
        "iat": now, "nbf": now, "exp": now + 86400,
    }  # fmt: skip
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": "peers"})


def _read_subject(token: str) -> str:
    subject: str = jwt.decode(token, options={"verify_signature": False})["sub"]
    return subject


def kernel_memory() -> int:
    """Bytes that the kernel holds for sockets of the whole machine: buffers of TCP, and slabs."""
    pages = re.search(r"^TCP:.* mem (\d+)", Path("/proc/net/sockstat").read_text(), re.MULTILINE)
    slabs = re.search(r"^Slab:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    buffers = int(pages[1]) * os.sysconf("SC_PAGE_SIZE") if pages else 0
    return buffers + (int(slabs[1]) * 1024 if slabs else 0)
