"""A contestant of the comparison that loses or doubles one delivery in fifty: `python -m … keeps|loses|doubles`.

Without a second argument it measures the other side, which it starts with one, and exits with 1 when the comparison
found the fault.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from pathlib import Path
from typing import Any

from perf.peers.contestants import ROOT, Contestant
from perf.peers.installing import install_load_client
from perf.peers.loading import LostDelivery
from perf.peers.scenarios import Arena, measure_room
from perf.peers.wires import RoomWire

MEMBERS = 5
MESSAGES = 10


async def serve(behaviour: str) -> None:
    """The contestant on the library `websockets`, with a fan-out of ours."""
    sys.path.insert(0, str(Path(ROOT, "perf/peers/python")))
    peer = importlib.import_module("websockets_server")
    from websockets.asyncio.server import serve as listen

    sent = 0

    async def spread(members: set[Any], text: str) -> None:
        nonlocal sent
        for member in list(members):
            sent += 1
            if sent != 7 or behaviour != "loses":
                await member.send(text)
            if sent == 7 and behaviour == "doubles":
                await member.send(text)

    async def handle(connection: Any) -> None:
        await peer.handle_connection(connection, spread)

    async with listen(handle, **peer.SETTINGS) as server:
        await server.serve_forever()


def measure(behaviour: str) -> int:
    """A tiny scenario (a) against it."""
    command = (sys.executable, "-m", "tests.support.forgetful_peer", behaviour, "serve")
    contestant = Contestant("forgetful", "a peer", "test", command, RoomWire(), frozenset({"room"}), "")
    size = {"members": MEMBERS, "rate": 100, "seconds": MESSAGES / 100, "limit": 3}
    try:
        measure_room(Arena(contestant, install_load_client()), size)
    except LostDelivery as lost:
        print(lost)
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[2:]:
        asyncio.run(serve(sys.argv[1]))
    else:
        sys.exit(measure(sys.argv[1]))
