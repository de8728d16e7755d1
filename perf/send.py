"""CPU per message through the whole durable path, at a steady rate.

Method: 50 senders, each alone in a room that it listens to, send 2,000 messages a second together for some seconds,
evenly spread. Each message is parsed, checked, logged (fsync), sequenced, stored, published, delivered and answered.
The figure is all the CPU of the server process over the messages; the clock stops when the last delivery has arrived.
Latency is shown for orientation only: absolute times depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import uuid

from perf.loadclient import Session, Swarm, masked
from perf.served import served


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--senders", type=int, default=50)
    parser.add_argument("--rate", type=int, default=2000, help="messages a second, of all senders together")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--backend", default="uvloop")
    options = parser.parse_args()
    count = options.senders
    with served(users=count, rooms=count, members=1, backend=options.backend) as server:
        sessions = [Session(server.ws, server.tokens[index], [server.rooms[index]]) for index in range(count)]
        swarm = Swarm(sessions)
        began: dict[str, float] = {}
        took: list[float] = []

        def note(payload: bytes) -> None:
            if payload.startswith(b'{"type":"message"'):
                event = json.loads(payload)
                took.append(time.perf_counter() - began.pop(event["client_id"]))
            elif b'"error"' in payload:
                raise RuntimeError(payload)

        total = int(options.rate * options.seconds)
        prepared = []
        for number in range(total):
            client_id = str(uuid.uuid4())
            command = {
                "type": "send",
                "id": number,
                "room": server.rooms[number % count],
                "text": "x" * 60,
                "client_id": client_id,
            }
            prepared.append((client_id, masked(json.dumps(command, separators=(",", ":")).encode())))
        cpu, start = server.cpu(), time.perf_counter()
        for number, (client_id, frame) in enumerate(prepared):
            due = start + number / options.rate
            while time.perf_counter() < due:
                swarm.drain(lambda: True, 1)
                for fd, _ in swarm.poll.poll(max(0.0, due - time.perf_counter())):
                    for payload in swarm.sessions[fd].read():
                        note(payload)
            began[client_id] = time.perf_counter()
            sessions[number % count].sock.send(frame)
        swarm.drain(lambda: len(took) >= total, 30, note)
        lasted = time.perf_counter() - start
        spent = (server.cpu() - cpu) / total * 1e6
        took.sort()
        print(f"{spent:.0f} µs CPU per message on {options.backend}, {total / lasted:.0f} messages a second")
        p99 = took[int(total * 0.99)] * 1e3
        print(f"send to delivery: median {statistics.median(took) * 1e3:.1f} ms, p99 {p99:.1f} ms")
        swarm.close()


if __name__ == "__main__":
    main()
