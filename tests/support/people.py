"""Users of a running server, by clients that are not ours: `httpx` for REST, `websockets` for the WebSocket."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

import anyio
import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.asyncapi import check_frame
from tests.support.patience import patient

PASSWORD = "correct horse battery"
DEADLINE = 20.0
_numbers = itertools.count(1)
Json = dict[str, Any]


def new_id() -> str:
    """A fresh `client_id`."""
    return str(uuid.uuid4())


class Server(Protocol):
    """Where a person goes: a process, or several behind one address."""

    @property
    def http(self) -> str:
        """REST and the page."""
        ...

    @property
    def ws(self) -> str:
        """The edge."""
        ...


@dataclass
class Person:
    """A registered user."""

    server: Server
    name: str
    id: str = ""
    token: str = ""
    refresh_token: str = ""
    http: httpx.AsyncClient = field(default_factory=httpx.AsyncClient)

    async def call(self, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        """A REST call; the answer's JSON. Fails unless its status is the given one (None: any that means success)."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = self.server.http + path
        response = await self.http.request(method, url, json=body, headers=headers, timeout=patient(DEADLINE))
        expected = response.is_success if status is None else response.status_code == status
        assert expected, f"{method} {path}: {response.status_code} {response.text}"
        if not response.is_success:
            assert response.headers["content-type"].startswith("application/problem+json"), response.text
        return response.json() if response.content else None

    async def new_room(self, visibility: str = "public", name: str | None = None) -> str:
        """Make a room; its id."""
        room = await self.call(
            "POST", "/api/rooms", {"name": name or f"room {next(_numbers)}", "visibility": visibility}
        )
        found: str = room["id"]
        return found

    async def history(self, path: str, *, limit: int = 200) -> list[Json]:
        """All messages of a room or direct conversation, oldest first, by paging back with `before`."""
        found: list[Json] = []
        while True:
            before = f"&before={found[-1]['seq']}" if found else ""
            page = await self.call("GET", f"{path}?limit={limit}{before}")
            found += page["messages"]
            if not page["more"]:
                return found[::-1]

    @asynccontextmanager
    async def chat(self, *, auth: bool = True, **options: Any) -> AsyncIterator[Chat]:
        """A WebSocket session, authenticated by its first frame."""
        async with Chat(self.server.ws, **options) as chat:
            if auth:
                answer = await chat.ok("auth", token=self.token)
                assert answer["user"] == {"id": self.id, "name": self.name}
                chat.session = answer
            yield chat


async def register(server: Server, http: httpx.AsyncClient, name: str | None = None) -> Person:
    """A new user, logged in."""
    person = Person(server, name or f"user-{next(_numbers)}-{uuid.uuid4().hex[:6]}", http=http)
    created = await person.call("POST", "/api/auth/register", {"name": person.name, "password": PASSWORD}, status=201)
    person.id = created["id"]
    await log_in(person)
    return person


async def log_in(person: Person) -> None:
    """New tokens."""
    person.token = ""
    tokens = await person.call("POST", "/api/auth/login", {"name": person.name, "password": PASSWORD}, status=200)
    person.token, person.refresh_token = tokens["access_token"], tokens["refresh_token"]


class Chat:
    """A WebSocket session by `websockets`. Frames that a call does not wait for are kept for the next one.

    Every frame from the server is held against the AsyncAPI document.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self.session: Json = {}
        self.kept: list[Json] = []
        self._connect = connect(url, proxy=None, **options)
        self._ids = itertools.count(1)
        self._asked: dict[int, str] = {}
        self.ws: ClientConnection

    async def __aenter__(self) -> Self:
        self.ws = await self._connect.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._connect.__aexit__(kind, error, tb)

    async def say(self, type_: str, **fields: Any) -> int:
        """Send a command without waiting; its id."""
        number = next(self._ids)
        self._asked[number] = type_
        fields = {key.rstrip("_"): value for key, value in fields.items()}
        await self.ws.send(json.dumps({"type": type_, "id": number, **fields}))
        return number

    async def answer(self, number: int) -> Json:
        """Wait for the answer to a command."""
        return await self._take(lambda frame: frame.get("id") == number and frame["type"] in ("ok", "error"))

    async def ok(self, type_: str, **fields: Any) -> Json:
        """Send a command; its `ok`."""
        answer = await self.answer(await self.say(type_, **fields))
        assert answer["type"] == "ok", answer
        return answer

    async def refused(self, type_: str, **fields: Any) -> Json:
        """Send a command that is refused; its `error`."""
        answer = await self.answer(await self.say(type_, **fields))
        assert answer["type"] == "error", answer
        assert answer["message"], answer
        return answer

    async def raw(self, data: str | bytes) -> Json:
        """Send a frame that has no readable id, or is no command; the `error` that comes."""
        await self.ws.send(data)
        return await self._take(lambda frame: frame["type"] == "error")

    async def event(self, type_: str, **fields: Any) -> Json:
        """Wait for an event with these fields."""
        wanted = {"type": type_, **{key.rstrip("_"): value for key, value in fields.items()}}
        return await self._take(lambda frame: all(frame.get(key) == value for key, value in wanted.items()))

    async def messages(self, room: str, upto: int) -> list[Json]:
        """Wait for the room's messages up to this seq; all of them, as they came."""
        found: list[Json] = []
        while not found or found[-1]["seq"] < upto:
            found.append(await self.event("message", room=room))
        return found

    async def closed(self) -> tuple[int, str]:
        """Wait for the end; the close code and reason."""
        with anyio.fail_after(patient(DEADLINE)):
            try:
                while True:
                    self.kept.append(await self._read())
            except ConnectionClosed as closed:
                return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")

    async def quiet(self, type_: str, **fields: Any) -> None:
        """No such event has come. A command goes through first: whatever was to come before its answer is here."""
        await self.ok("status", state="online")
        wanted = {"type": type_, **{key.rstrip("_"): value for key, value in fields.items()}}
        found = [frame for frame in self.kept if all(frame.get(key) == value for key, value in wanted.items())]
        assert not found, found

    async def _read(self) -> Json:
        frame: Json = json.loads(await self.ws.recv())
        if frame["type"] != "ok" or frame["id"] in self._asked:
            check_frame(frame, self._asked.get(frame.get("id") or 0))
        return frame

    async def _take(self, wanted: Any) -> Json:
        for index, frame in enumerate(self.kept):
            if wanted(frame):
                return self.kept.pop(index)
        with anyio.fail_after(patient(DEADLINE)):
            while True:
                frame = await self._read()
                if wanted(frame):
                    return frame
                self.kept.append(frame)
