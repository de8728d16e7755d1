"""A WebSocket server that follows a test's script: the peer of the client under test."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from anyio.abc import ByteStream
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)

from tests.support.memory_stream import memory_pipe


class Gone(Exception):
    """The client closed the connection, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Peer:
    """The server's side of one connection."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream
        self.pings = 0
        self.target = ""
        self._ws = WSConnection(ConnectionType.SERVER)
        self._events: list[Event] = []

    async def accept(self) -> None:
        """Shake hands."""
        request = await self.next_event()
        assert isinstance(request, Request)
        self.target = request.target
        await self.write(AcceptConnection())

    async def reject(self, status: int) -> None:
        """Refuse the handshake."""
        await self.next_event()
        await self.write(RejectConnection(status_code=status, headers=[(b"content-length", b"0")], has_body=False))

    async def write_together(self, *events: Event) -> None:
        """Send events in one chunk of bytes."""
        await self.stream.send(b"".join(self._ws.send(event) for event in events))

    async def write(self, event: Event) -> None:
        """Send an event. Raises `Gone` when the client is not there any more."""
        data = self._ws.send(event)
        try:
            await self.stream.send(data)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            raise Gone(1006) from None

    async def next_event(self) -> Event:
        while not self._events:
            try:
                data = await self.stream.receive(65536)
            except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
                raise Gone(1006) from None
            self._ws.receive_data(data)
            self._events.extend(self._ws.events())
        return self._events.pop(0)

    async def command(self) -> dict[str, Any]:
        """Wait for the next command. Raises `Gone` when the client closes."""
        while True:
            event = await self.next_event()
            if isinstance(event, TextMessage):
                found: dict[str, Any] = json.loads(event.data)
                return found
            if isinstance(event, CloseConnection):
                raise Gone(event.code)
            if isinstance(event, Ping):
                await self.write(event.response())
            if isinstance(event, Pong):
                self.pings += 1

    async def say(self, **frame: Any) -> None:
        await self.write(TextMessage(data=json.dumps(frame)))

    async def ok(self, command: dict[str, Any], **fields: Any) -> None:
        """Answers with what every answer to this command carries; `fields` say more, or otherwise."""
        carried: dict[str, dict[str, Any]] = {
            "subscribe": {"room": command.get("room"), "seq": 0},
            "sync": {"with": command.get("with"), "seq": 0, "recovered": False, "messages": []},
            "presence": {"states": {}},
            "follow": {"rooms": {}},
        }
        await self.say(**{"type": "ok", "id": command["id"], **carried.get(command["type"], {}), **fields})

    async def refuse(self, command: dict[str, Any], code: str, **fields: Any) -> None:
        await self.say(type="error", id=command["id"], code=code, message="refused by the test", **fields)

    async def authenticate(self, heartbeat_s: float = 25.0) -> dict[str, Any]:
        """Shake hands and take the client's token; the `auth` command."""
        await self.accept()
        command = await self.command()
        assert command["type"] == "auth"
        await self.ok(command, user={"id": "me", "name": "me"}, session="s", heartbeat_s=heartbeat_s)
        return command

    async def close(self, code: int, reason: str = "") -> None:
        """Close, and wait until the client has gone: raises `Gone`."""
        await self.write(CloseConnection(code=code, reason=reason))
        while True:
            await self.command()


Script = Callable[[Peer], Awaitable[None]]


class Server:
    """Serves each connection by the next script; after the last one, connections are refused."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.dialled = 0
        self.dialled_at: list[float] = []
        self.done = anyio.Event()
        self._send, self._receive = anyio.create_memory_object_stream[tuple[Script, ByteStream]](16)

    async def dial(self) -> ByteStream:
        """What the client connects by."""
        await anyio.lowlevel.checkpoint()
        self.dialled += 1
        self.dialled_at.append(anyio.current_time())
        if not self.scripts:
            raise ConnectionRefusedError("no script is left")
        client, server = memory_pipe()
        await self._send.send((self.scripts.pop(0), server))
        return client

    async def run(self) -> None:
        """Serve, until cancelled."""
        with self._send, self._receive:
            async with anyio.create_task_group() as group:
                async for script, stream in self._receive:
                    group.start_soon(self._serve, script, stream)

    async def _serve(self, script: Script, stream: ByteStream) -> None:
        async with stream:
            try:
                await script(Peer(stream))
            except Gone:
                return
