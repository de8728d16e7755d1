"""A contestant of the comparison that loses or doubles one delivery: `python -m … keeps|loses|doubles|doubles-later`.

With `doubles-later`, the delivery is one to those who talk while others come in. Without a second argument it measures
the other side, which it starts with one, and exits with 1 when the comparison found the fault.
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
from perf.peers.scenarios import Arena, measure_room, measure_storm
from perf.peers.wires import RoomWire

MEMBERS = 5
MESSAGES = 10
STORM_MEMBERS, CALM = 50, 10
"""Of a room in scenario (g), and the messages that are sent before the others come."""


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
            if (sent, behaviour) in ((7, "doubles"), (CALM * STORM_MEMBERS + 7, "doubles-later")):
                await member.send(text)

    async def handle(connection: Any) -> None:
        await peer.handle_connection(connection, spread)

    async with listen(handle, **peer.SETTINGS) as server:
        await server.serve_forever()


def measure(behaviour: str) -> int:
    """A tiny scenario (a) against it, or a tiny (g)."""
    command = (sys.executable, "-m", "tests.support.forgetful_peer", behaviour, "serve")
    contestant = Contestant("forgetful", "a peer", "test", command, RoomWire(), frozenset({"room"}), "")
    size = {"members": MEMBERS, "rate": 100, "seconds": MESSAGES / 100, "limit": 3}
    storm = {"connections": 250, "at_once": 50, "calm_seconds": CALM / 20}
    arena = Arena(contestant, install_load_client())
    try:
        if behaviour == "doubles-later":
            measure_storm(arena, storm)
        else:
            measure_room(arena, size)
    except LostDelivery as lost:
        print(lost)
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[2:]:
        asyncio.run(serve(sys.argv[1]))
    else:
        sys.exit(measure(sys.argv[1]))
