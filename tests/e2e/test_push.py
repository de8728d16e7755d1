"""Push from a whole server to a browser that is closed: a push service on this machine decrypts as a browser does."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest

from tests.e2e.conftest import NewServer
from tests.support.patience import patient
from tests.support.people import Person, new_id, register
from tests.support.process import ServerProcess
from tests.support.push_service import FakePushService, serve_app

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@asynccontextmanager
async def push_service() -> AsyncIterator[tuple[FakePushService, str]]:
    """A push service, and its HOST:PORT."""
    service = FakePushService()
    async with serve_app(service) as address:
        service.audience = f"http://{address}"
        yield service, address


async def subscribe(service: FakePushService, person: Person, path: str) -> None:
    browser = service.add_browser(path)
    key = (await person.call("GET", "/api/push/key"))["key"]
    await person.call("POST", "/api/push/subscriptions", {**browser.as_json(), "key": key}, status=201)


async def receive(service: FakePushService, count: int) -> list[dict[str, Any]]:
    """The contents of the pushes, once there are so many."""
    with anyio.fail_after(patient(20)):
        while len(service.received) < count:
            await service.arrived.wait()
    return [each.content for each in service.received]


async def test_who_closed_the_page_gets_one_push_on_each_device(new_server: NewServer, http: httpx.AsyncClient) -> None:
    async with push_service() as (service, address):
        server: ServerProcess = new_server(push_hosts=address)
        ann, ben = await register(server, http), await register(server, http)
        await subscribe(service, ann, "/phone")
        await subscribe(service, ann, "/desk")
        async with ben.chat() as chat:
            await chat.ok("dm", to=ann.id, text="are you there?", client_id=new_id())
            contents = await receive(service, 2)
            assert {each["body"] for each in contents} == {"are you there?"}
            assert {(each["title"], each["kind"], each["seq"]) for each in contents} == {(ben.name, "dm", 1)}
            assert {each["url"] for each in contents} == {f"#/person/{ben.id}"}
            assert {each.headers["urgency"] for each in service.received} == {"high"}
        key = server.data / "vapid.keys"
        assert stat.S_IMODE(os.stat(key).st_mode) == 0o600

        async with ann.chat() as chat:  # read on one device, it closes on all
            await chat.ok("read", with_=ben.id, seq=1)
            contents = await receive(service, 4)
            assert [(each["type"], each["seq"]) for each in contents[2:]] == [("close", 1), ("close", 1)]


async def test_a_browser_that_is_gone_and_a_log_in_that_ended_get_nothing(
    new_server: NewServer, http: httpx.AsyncClient
) -> None:
    async with push_service() as (service, address):
        server = new_server(push_hosts=address)
        ann, ben, cat = [await register(server, http) for _ in range(3)]
        await subscribe(service, ann, "/gone")
        await subscribe(service, cat, "/ended")
        service.browsers.pop("/gone")
        await cat.call("POST", "/api/auth/logout", {"refresh_token": cat.refresh_token})
        async with ben.chat() as chat:
            for person in (cat, ann):
                await chat.ok("dm", to=person.id, text="hello", client_id=new_id())
            with anyio.fail_after(patient(20)):
                while (await ann.call("GET", "/api/push/subscriptions"))["subscriptions"]:  # noqa: ASYNC110 - REST notifies nobody
                    await anyio.sleep(0.1)
        assert service.received == []
