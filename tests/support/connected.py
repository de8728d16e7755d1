"""A client of a scripted server, over streams in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from rookery.client import Backoff, Client, connect
from tests.support.client_core import UNCHANGED
from tests.support.websocket_peer import Peer, Server

URL = "ws://chat.test/ws"
ROOM = "00000000-0000-0000-0000-000000000001"


@asynccontextmanager
async def connected(server: Server, **options: Any) -> AsyncIterator[Client]:
    """A client of the scripted server."""
    options.setdefault("token", "token")
    options.setdefault("backoff", Backoff(base=0.01, cap=0.05))
    async with anyio.create_task_group() as group:
        group.start_soon(server.run)
        failure: Exception | None = None
        try:
            async with connect(URL, dial=server.dial, **options) as client:
                yield client
        except Exception as error:  # noqa: BLE001 # raised below, outside of the task group
            failure = error
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def idle(peer: Peer) -> None:
    """Stay until the client goes."""
    while True:
        await peer.command()


async def session(peer: Peer) -> None:
    """Authenticate and answer every command with `ok`."""
    await peer.authenticate()
    while True:
        await peer.ok(await peer.command(), room=ROOM, seq=1, states={"u": "online"})


def message(seq: int) -> dict[str, Any]:
    sender = {"id": "peer", "name": "peer"}
    event = {"type": "message", "room": ROOM, "seq": seq, "sender": sender, "text": "x", "ts": "", "client_id": "c"}
    return {**event, "mentions": [], **UNCHANGED}
