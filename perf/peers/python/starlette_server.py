"""Starlette, which has no broadcast of its own: a loop of `send_text`, as its users write it.

`python starlette_server.py uvicorn|hypercorn`, both on uvloop.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import room
import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

rooms: dict[str, set[WebSocket]] = {}
users: dict[str, set[WebSocket]] = {}


async def broadcast(members: set[WebSocket], text: str) -> None:
    """One frame to each, in turn."""
    for member in list(members):
        await member.send_text(text)


async def handle_connection(socket: WebSocket) -> None:
    """One session: its first frame is `auth`, and then it commands."""
    await socket.accept()
    joined: list[set[WebSocket]] = []
    user = None
    try:
        while True:
            text = await socket.receive_text()
            command = json.loads(text)
            match command["type"]:
                case "auth":
                    user = room.check_token(command["token"])
                    joined.append(users.setdefault(user["id"], set()))
                    joined[-1].add(socket)
                case _ if user is None:
                    return
                case "subscribe":
                    joined.append(rooms.setdefault(command["room"], set()))
                    joined[-1].add(socket)
                    await socket.send_text(room.answer_subscribe(command))
                    continue
                case "send":
                    await broadcast(rooms[command["room"]], room.record_message(user, command))
                case "dm":
                    await broadcast(users[command["to"]] | users[user["id"]], room.make_dm(user, command))
                case "echo":
                    await socket.send_text(text)
                    continue
            await socket.send_text(room.dump({"type": "ok", "id": command["id"]}))
    except WebSocketDisconnect:
        pass
    finally:
        for members in joined:
            members.discard(socket)


app = Starlette(routes=[WebSocketRoute("/ws", handle_connection)])


def run_uvicorn(application: Any) -> None:
    """Serve for ever, with the `websockets` library's protocol without I/O."""
    import uvicorn

    uvicorn.run(
        application,
        host="127.0.0.1",
        port=room.PORT,
        loop="uvloop",
        ws="websockets-sansio",
        backlog=4096,
        log_level="error",
        access_log=False,
        lifespan="off",
        ws_ping_interval=room.PING_SECONDS,
        ws_ping_timeout=60,
        ws_per_message_deflate=room.DEFLATE,
    )


def run_hypercorn(application: Any) -> None:
    """Serve for ever; compression it negotiates with whoever asks, and cannot be told not to."""
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"127.0.0.1:{room.PORT}"]
    config.backlog = 4096
    config.websocket_ping_interval = room.PING_SECONDS
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(application, config))


if __name__ == "__main__":
    if sys.argv[1] == "uvicorn":
        run_uvicorn(app)
    else:
        run_hypercorn(app)
