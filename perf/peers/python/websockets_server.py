"""The library `websockets` with its `broadcast()`: `python websockets_server.py asyncio|trio`."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import room

rooms: dict[str, set[Any]] = {}
users: dict[str, set[Any]] = {}
SETTINGS: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": room.PORT,
    "backlog": 4096,
    "compression": "deflate" if room.DEFLATE else None,
    "ping_interval": room.PING_SECONDS,
    "ping_timeout": 60,
}


async def serve_with_asyncio() -> None:
    """On uvloop, with the `broadcast()` that writes to all without waiting for any."""
    from websockets.asyncio.server import broadcast, serve

    async def handle(connection: Any) -> None:
        async def spread(members: set[Any], text: str) -> None:
            broadcast(members, text)

        await handle_connection(connection, spread)

    async with serve(handle, **SETTINGS) as server:
        await server.serve_forever()


async def serve_with_trio() -> None:
    """On trio, with its `broadcast()`."""
    import trio
    from websockets.trio.connection import broadcast
    from websockets.trio.server import serve

    async def handle(connection: Any) -> None:
        await handle_connection(connection, broadcast)

    async with trio.open_nursery() as nursery:
        await nursery.start(serve_forever, serve, handle)


async def serve_forever(serve: Any, handle: Any, task_status: Any) -> None:
    """Serve until cancelled."""
    await serve(handle, **SETTINGS, task_status=task_status)


async def handle_connection(connection: Any, spread: Any) -> None:
    """One session: its first frame is `auth`, and then it commands."""
    joined: list[set[Any]] = []
    user = None
    try:
        async for text in connection:
            command = json.loads(text)
            match command["type"]:
                case "auth":
                    user = room.check_token(command["token"])
                    joined.append(users.setdefault(user["id"], set()))
                    joined[-1].add(connection)
                case _ if user is None:
                    return
                case "subscribe":
                    joined.append(rooms.setdefault(command["room"], set()))
                    joined[-1].add(connection)
                    await connection.send(room.answer_subscribe(command))
                    continue
                case "send":
                    await spread(rooms[command["room"]], room.record_message(user, command))
                case "dm":
                    await spread(users[command["to"]] | users[user["id"]], room.make_dm(user, command))
                case "echo":
                    await connection.send(text)
                    continue
            await connection.send(room.dump({"type": "ok", "id": command["id"]}))
    finally:
        for members in joined:
            members.discard(connection)


if __name__ == "__main__":
    if sys.argv[1] == "trio":
        import trio

        trio.run(serve_with_trio)
    else:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve_with_asyncio())
