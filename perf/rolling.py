"""How are reconnects spread when two edges behind nginx are restarted one after the other?

`python -m perf.rolling [--clients N] [--drain S] [--figure FILE]`. N clients of our library, each in one of ten rooms;
ten of them talk. An edge gets SIGTERM, and is started again when it has exited; then the other one. For each client,
the time from the SIGTERM to its next session counts. At the end, every client must have been shown every message.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import psutil

from perf.cluster import Cluster, RoleProcess, cluster
from perf.drawing import draw_histogram
from rookery.client import Client, Connected, Message, connect
from scripts.lib.servers import nginx

ROOMS = 10
_PACE_SECONDS = 0.5
_SETTLE_SECONDS = 120.0


class Crowd:
    """The clients: when they came back, and what they were shown."""

    def __init__(self, made: Cluster, ws: str) -> None:
        self._made = made
        self._ws = ws
        self.present = 0
        self.restarted = 0.0
        self.returns: list[float] = []
        self.acked: dict[str, int] = dict.fromkeys(made.rooms, 0)
        self.shown: list[tuple[str, list[int]]] = []
        self._talking = True

    async def take_part(self, number: int) -> None:
        """Be one of them, until cancelled."""
        share = len(self._made.tokens) // ROOMS  # room R has that many users from R times as many on
        room = self._made.rooms[number // share]
        seqs: list[int] = []
        self.shown.append((room, seqs))
        async with connect(self._ws, token=self._made.tokens[number], timeout=_SETTLE_SECONDS) as client:
            await client.subscribe(room, since=0)
            self.present += 1
            async with anyio.create_task_group() as tasks:
                if number % share == 0:
                    tasks.start_soon(self._talk, client, room)
                async for event in client:
                    if isinstance(event, Message):
                        seqs.append(event.seq)
                    elif isinstance(event, Connected) and self.restarted:
                        self.returns.append(time.monotonic() - self.restarted)

    async def _talk(self, client: Client, room: str) -> None:
        while self._talking:
            await client.send(room, "hello")
            self.acked[room] += 1
            await anyio.sleep(_PACE_SECONDS)

    async def settle(self) -> None:
        """Wait until everyone was shown everything, once and in order. Raises `TimeoutError`."""
        self._talking = False
        with anyio.fail_after(_SETTLE_SECONDS):
            while not all(seqs == list(range(1, self.acked[room] + 1)) for room, seqs in self.shown):  # noqa: ASYNC110
                await anyio.sleep(0.1)


async def restart_both(made: Cluster, clients: int, edges: list[RoleProcess], ws: str) -> dict[str, list[float]]:
    """The seconds after which clients came back, for each of the two edges."""
    crowd, found = Crowd(made, ws), {}
    async with anyio.create_task_group() as tasks:
        for number in range(clients):
            tasks.start_soon(crowd.take_part, number)
        while crowd.present < clients:  # noqa: ASYNC110 - the crowd notifies nobody
            await anyio.sleep(0.1)
        for number, edge in enumerate(edges):
            crowd.returns, crowd.restarted = [], time.monotonic()
            os.kill(edge.pid, signal.SIGTERM)
            await anyio.to_thread.run_sync(psutil.Process(edge.pid).wait)
            await anyio.to_thread.run_sync(partial(made.edge, ws="{}:{}".format(*edge.ws)))
            await anyio.sleep(float(made.environ["ROOKERY_DRAIN_SECONDS"]) - (time.monotonic() - crowd.restarted) + 3)
            found[f"clients of the {('first', 'second')[number]} edge"] = crowd.returns
        await crowd.settle()
        print(f"{sum(crowd.acked.values())} messages acknowledged; all shown to everybody, once and in order")
        tasks.cancel_scope.cancel()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="perf.rolling")
    parser.add_argument("--clients", type=int, default=400, help="a multiple of ten")
    parser.add_argument("--drain", type=float, default=20.0)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    with cluster(ROOKERY_DRAIN_SECONDS=str(options.drain)) as made, tempfile.TemporaryDirectory() as folder:
        made.seed(users=options.clients, rooms=ROOMS, members=options.clients // ROOMS)
        made.worker()
        edges = [made.edge(), made.edge()]
        addresses = ["{}:{}".format(*edge.ws) for edge in edges]
        before = nginx.process(Path(folder), edges=addresses, auth=addresses[0], chat=addresses[0])
        before.launch()
        try:
            before.await_ready()
            ws = f"ws://{nginx.address(Path(folder))}/ws"
            found = anyio.run(restart_both, made, options.clients, edges, ws)
        finally:
            before.stop()
    counts = {name: Counter(int(each) for each in returns) for name, returns in found.items()}
    columns = {name: [count[second] for second in range(max(count) + 1)] for name, count in counts.items()}
    for name, column in columns.items():
        print(f"{name}, by the second: {column}")
    if options.figure:
        title = f"Reconnects while two edges are restarted, {options.clients} clients, a drain of {options.drain:g} s"
        options.figure.write_text(draw_histogram(title, "seconds since the SIGTERM", columns))


if __name__ == "__main__":
    main()
