"""What does a published message cost a Redis server, by how many edges listen to its channel?

Method: a Redis of its own on a core of its own, over loopback TCP; publications of 250 B in pipelines of 20, as edges
and workers send them under load; the subscribers, as edges are, are read by one process, which drops that. CPU is
the server's, until all copies have arrived. The figures give two prices: of a publication, and of each copy.
"""

from __future__ import annotations

import argparse
import os
import selectors
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from perf.measure import read_process_cpu

OF_SERVERS = Path(__file__).resolve().parents[1] / "output/servers/tools/redis/redis-server"
PIPELINE = 20
PAYLOAD = b"x" * 250


def encode_command(*parts: bytes) -> bytes:
    """A command in RESP."""
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def count_copies(subscribers: list[socket.socket], wanted: int) -> None:
    """Read until so many bytes have come."""
    with selectors.DefaultSelector() as selector:
        for sock in subscribers:
            selector.register(sock, selectors.EVENT_READ)
        got = 0
        while got < wanted:
            for key, _ in selector.select(5):
                assert isinstance(key.fileobj, socket.socket)
                got += len(key.fileobj.recv(1 << 20))


def measure_price(address: tuple[str, int], pid: int, listeners: int, messages: int) -> float:
    """Microseconds of the server's CPU for a message that so many read."""
    subscribers = []
    for _ in range(listeners):
        sock = socket.create_connection(address)
        sock.sendall(encode_command(b"SUBSCRIBE", b"room"))
        sock.recv(1024)
        subscribers.append(sock)
    publisher = socket.create_connection(address)
    batch = encode_command(b"PUBLISH", b"room", PAYLOAD) * PIPELINE
    copy = len(encode_command(b"message", b"room", PAYLOAD))
    reader = threading.Thread(target=count_copies, args=(subscribers, copy * messages * listeners))
    reader.start()
    cpu = read_process_cpu(pid)
    for _ in range(messages // PIPELINE):
        publisher.sendall(batch)
        publisher.recv(4096)
    reader.join()
    spent = read_process_cpu(pid) - cpu
    for sock in [*subscribers, publisher]:
        sock.close()
    return spent / messages * 1e6


def wait_for_server(address: tuple[str, int]) -> None:
    """Return when it accepts."""
    for _ in range(200):
        try:
            socket.create_connection(address).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("redis-server does not accept")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    program = shutil.which("redis-server") or str(OF_SERVERS)
    if not Path(program).exists():
        raise SystemExit("redis-server is not installed: scripts/servers start redis installs one")
    with tempfile.TemporaryDirectory(prefix="rookery-perf-") as folder:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address: tuple[str, int] = free.getsockname()
        command = [program, "--bind", address[0], "--port", str(address[1]), "--save", "", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_for_server(address)
            os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
            prices: dict[int, list[float]] = {}
            for _ in range(options.rounds):
                for listeners in (1, 8, 50):
                    price = measure_price(address, process.pid, listeners, options.messages)
                    prices.setdefault(listeners, []).append(price)
            medians = {listeners: sorted(found)[len(found) // 2] for listeners, found in prices.items()}
            for listeners, price in medians.items():
                print(f"{listeners:3} subscribers: {price:6.1f} µs a message")
            copy = (medians[50] - medians[1]) / 49
            print(f"so a copy costs {copy:.2f} µs, and a publication {medians[1] - copy:.2f}")
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()
