"""picows on uvloop: its listener is called for each frame, and a broadcast is a loop of its `send`."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import room
import uvloop
from picows import WSAutoPingStrategy, WSListener, WSMsgType, ws_create_server

rooms: dict[str, set[Any]] = {}
users: dict[str, set[Any]] = {}


class Member(WSListener):
    """One session: its first frame is `auth`, and then it commands."""

    def __init__(self) -> None:
        self.user: dict[str, str] | None = None
        self.joined: list[set[Any]] = []

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        """Do what a frame commands."""
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
            return
        if frame.msg_type != WSMsgType.TEXT:
            return
        payload = frame.get_payload_as_bytes()
        command = json.loads(payload)
        match command["type"]:
            case "auth":
                self.user = room.check_token(command["token"])
                self.join(users, self.user["id"], transport)
            case _ if self.user is None:
                transport.disconnect()
                return
            case "subscribe":
                self.join(rooms, command["room"], transport)
                transport.send(WSMsgType.TEXT, room.answer_subscribe(command).encode())
                return
            case "send":
                broadcast(rooms[command["room"]], room.record_message(self.user, command))
            case "dm":
                broadcast(users[command["to"]] | users[self.user["id"]], room.make_dm(self.user, command))
            case "echo":
                transport.send(WSMsgType.TEXT, payload)
                return
        transport.send(WSMsgType.TEXT, room.dump({"type": "ok", "id": command["id"]}).encode())

    def join(self, sets: dict[str, set[Any]], name: str, transport: Any) -> None:
        """Receive what is sent to this name."""
        self.joined.append(sets.setdefault(name, set()))
        self.joined[-1].add(transport)

    def on_ws_disconnected(self, transport: Any) -> None:
        """Leave."""
        for members in self.joined:
            members.discard(transport)


def broadcast(members: set[Any], text: str) -> None:
    """One frame to each."""
    data = text.encode()
    for member in members:
        member.send(WSMsgType.TEXT, data)


async def main() -> None:
    """Serve for ever."""
    server = await ws_create_server(
        lambda _request: Member(),
        "127.0.0.1",
        room.PORT,
        backlog=4096,
        enable_auto_ping=True,
        auto_ping_idle_timeout=room.PING_SECONDS,
        auto_ping_reply_timeout=room.PING_SECONDS,
        auto_ping_strategy=WSAutoPingStrategy.PING_WHEN_IDLE,
    )
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
