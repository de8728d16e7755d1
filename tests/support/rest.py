"""The REST application over embedded engines in memory; its clients check every answer by the OpenAPI document."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import msgspec
from argon2 import PasswordHasher

from chat.domain.ids import new_id
from chat.domain.models import Message
from chat.engines.executor import InlineExecutor
from chat.engines.limits import MemoryRateLimiter
from chat.engines.log import SqliteLog
from chat.engines.presence import MemoryPresence
from chat.engines.relay import MemoryRelay
from chat.ports.relay import Listener
from chat.settings import LimitSettings, Settings
from chat.tokens import KeyRing
from services.app import create_app, make_openapi
from services.common.collaborators import Services
from services.common.health import Health, make_probes
from services.common.passwords import Passwords
from services.common.settings import select_settings
from services.moderation.rules import Rules
from services.moderation.service import ModerationService
from tests.support.builders import NOW
from tests.support.clocks import ManualClock
from tests.support.engines import sqlite_memory
from tests.support.openapi_check import Checker
from tests.support.patience import patient

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
BASE = "http://chat.test"


class User:
    """A registered user and their HTTP client. Every answer is checked against the document."""

    def __init__(self, rest: Rest, body: dict[str, Any]) -> None:
        self.rest = rest
        self.id: str = body["id"]
        self.name: str = body["name"]
        self.access: str = body["access_token"]
        self.refresh: str = body["refresh_token"]

    async def __call__(self, method: str, path: str, json: Any = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.access}", **more.pop("headers", {})}
        return await self.rest(method, path, json, headers=headers, **more)

    async def room(self, name: str = "den", visibility: str = "public") -> str:
        """Make a room; its id."""
        answer = await self("POST", "/api/rooms", {"name": name, "visibility": visibility})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


class Rest:
    """The application and what it stands on. Called, it sends a request without a token."""

    def __init__(self, services: Services, clock: ManualClock, http: httpx.AsyncClient) -> None:
        self.services = services
        self.clock = clock
        self.http = http
        self.checker = Checker(make_openapi())
        self._names = itertools.count(1)

    async def __call__(self, method: str, path: str, json: Any = None, **more: Any) -> httpx.Response:
        response = await self.http.request(method, path, json=json, **more)
        self.checker.check(method, response)
        return response

    async def user(self, name: str | None = None) -> User:
        """Register someone."""
        body = {"name": name or f"user{next(self._names)}", "password": "a long password"}
        answer = await self("POST", "/api/auth/register", body)
        assert answer.status_code == 201, answer.text
        return User(self, answer.json())

    async def say(self, conversation: str, user: User, *texts: str) -> None:
        """Store messages, as the workers would."""
        newest = (await self.services.history.newest_seqs([conversation]))[conversation]
        messages = [
            Message(
                conversation=conversation,
                seq=seq,
                sender=user.id,
                sender_name=user.name,
                text=text,
                ts=self.clock(),
                client_id=new_id(),
            )
            for seq, text in enumerate(texts, newest + 1)
        ]
        await self.services.history.apply_batch(messages, [])


@asynccontextmanager
async def open_rest(
    *, settings: Settings | None = None, roles: Sequence[str] = ("auth", "chat"), **replaced: Any
) -> AsyncIterator[Rest]:
    """A whole application. `replaced` are collaborators that a test brings."""
    clock = ManualClock(NOW)
    settings = settings or Settings(limits=LimitSettings(rate_limits=False))
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(sqlite_memory(Path()))
        accounts, rooms, history = stores.accounts, stores.rooms, stores.history
        relay = replaced.get("relay") or MemoryRelay()
        presence = await stack.enter_async_context(MemoryPresence.open(relay, clock, heartbeat_s=25.0, damping_s=1.0))
        log = await stack.enter_async_context(SqliteLog.open(None, executor=InlineExecutor(), commit_interval_ms=0))
        rules = await Rules.open(executor=InlineExecutor())
        moderation = ModerationService(
            rules, stores.cases, accounts, relay, clock=clock, executor=InlineExecutor(),
            moderators=settings.moderation.moderators,
        )  # fmt: skip
        keys = KeyRing(accounts, settings.tokens, clock=clock)
        await keys.refresh_keys()
        collaborators: dict[str, Any] = {
            "settings": select_settings(settings),
            "accounts": accounts,
            "rooms": rooms,
            "history": history,
            "attention": stores.attention,
            "relay": relay,
            "presence": presence,
            "limits": MemoryRateLimiter(clock),
            "cases": stores.cases,
            "deletion": stores.deletion,
            "notifications": stores.notifications,
            "documents": stores.documents,
            "logos": stores.logos,
            "push_store": stores.push,
            "mailings": stores.mailings,
            "moderator": moderation,
            "appender": log,
            "keys": keys,
            "passwords": Passwords(CHEAP, InlineExecutor()),
            "health": Health(make_probes(accounts, rooms, history, relay, presence, signing=keys)),
            "clock": clock,
        }
        services = Services(**{**collaborators, **replaced})
        transport = httpx.ASGITransport(create_app(services, roles))
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url=BASE))
        yield Rest(services, clock, http)


async def read_all(user: User, path: str, items: str) -> list[str]:
    """The names in all pages of a list, each of which begins at the cursor of the one before."""
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await user("GET", f"{path}&cursor={cursor}" if cursor else path)).json()
        assert page["more"] == (page["next"] is not None)
        names += [item["name"] for item in page[items]]
        cursor = page["next"]
    return names


async def received(listener: Listener, count: int) -> list[tuple[str, Any]]:
    """The next deliveries: the channel, and the JSON after the kind."""
    found: list[tuple[str, Any]] = []
    with anyio.fail_after(patient(5)):
        while len(found) < count:
            for delivery in await listener.receive():
                assert delivery.payload is not None
                found.append((delivery.channel, msgspec.json.decode(delivery.payload[1:])))
    assert len(found) == count, found
    return found
