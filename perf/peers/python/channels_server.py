"""Django Channels in memory, on uvicorn: groups carry the broadcasts."""

from __future__ import annotations

import json
from typing import Any

import room
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    # The layer's queue drops what is over its capacity; a contestant that is behind shall be late.
    CHANNEL_LAYERS={
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1_000_000}},
    },
)

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402
from starlette_server import run_uvicorn  # noqa: E402


class Member(AsyncWebsocketConsumer):
    """One session: its first frame is `auth`, and then it commands."""

    user: dict[str, str] | None = None

    async def receive(self, text_data: str = "", **_others: Any) -> None:
        """Do what a frame commands."""
        command = json.loads(text_data)
        match command["type"]:
            case "auth":
                self.user = room.check_token(command["token"])
                await self.join(f"user.{self.user['id']}")
            case _ if self.user is None:
                await self.close()
                return
            case "subscribe":
                await self.join(f"room.{command['room']}")
                await self.send(room.answer_subscribe(command))
                return
            case "send":
                await self.spread(f"room.{command['room']}", room.record_message(self.user, command))
            case "dm":
                event = room.make_dm(self.user, command)
                await self.spread(f"user.{command['to']}", event)
                await self.spread(f"user.{self.user['id']}", event)
            case "echo":
                await self.send(text_data)
                return
        await self.send(room.dump({"type": "ok", "id": command["id"]}))

    async def join(self, group: str) -> None:
        """Receive what is sent to a group."""
        self.groups.append(group)
        await self.channel_layer.group_add(group, self.channel_name)

    async def spread(self, group: str, text: str) -> None:
        """Send to a group."""
        await self.channel_layer.group_send(group, {"type": "deliver", "text": text})

    async def deliver(self, event: dict[str, str]) -> None:
        """Pass on what came from a group."""
        await self.send(event["text"])


if __name__ == "__main__":
    run_uvicorn(ProtocolTypeRouter({"websocket": URLRouter([path("ws", Member.as_asgi())])}))
