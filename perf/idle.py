"""Memory of idle connections: authenticated, subscribed to one room of a hundred, and silent.

Method: resident memory of the process before the first connection and after the last, over their number. A first batch
is connected before the measurement, so that what is allocated once is not counted.
"""

from __future__ import annotations

import argparse
import resource

from perf.loadclient import Session
from perf.served import served


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--backend", default="uvloop")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count, warm = options.connections, 200
    with served(users=count + warm, rooms=100, members=(count + warm) // 100, backend=options.backend) as server:
        per_room = (count + warm) // 100
        room_of = [server.rooms[index // per_room] for index in range(count + warm)]

        def connect(index: int) -> Session:
            return Session(server.ws, server.tokens[index], [room_of[index]])

        ready = server.memory()
        sessions = [connect(index) for index in range(warm)]
        before, cpu = server.memory(), server.cpu()
        sessions += [connect(index) for index in range(warm, warm + count)]
        after = server.memory()
        print(f"{count} connections on {options.backend}: {(after - before) / count:.0f} bytes each")
        print(
            f"with all that the process allocated since it was ready: {(after - ready) / (count + warm):.0f} bytes each"
        )
        print(f"connecting, authenticating and subscribing: {(server.cpu() - cpu) / count * 1e6:.0f} µs CPU each")
        for session in sessions:
            session.sock.close()


if __name__ == "__main__":
    main()
