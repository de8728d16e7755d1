"""Push from a whole server to a browser that is closed: a push service on this machine decrypts as a browser does."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from chat.adapters.webpush.vapid import generate_key
from tests.e2e.conftest import NewServer
from tests.support.cluster_process import Cluster
from tests.support.own_servers import servers_with
from tests.support.patience import patient
from tests.support.people import Person, Server, new_id, register
from tests.support.process import RoleProcess, ServerProcess
from tests.support.push_service import FakePushService, serve_app

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


KINDS = ("serve", pytest.param("roles", marks=pytest.mark.production))


@contextmanager
def running_server(kind: str, address: str, folder: Path) -> Iterator[tuple[Server, RoleProcess]]:
    """A server for which `address` is a push service, and the process that sends to it."""
    if kind == "serve":
        with ServerProcess("push", folder / "data", push_hosts=address, push_timeout_seconds="3") as process:
            yield process, process
            process.check()
        return
    keys = f"{generate_key().text},{generate_key().text}"
    cluster = Cluster(
        "push-roles", servers_with(), edges=1, push_hosts=address, vapid_keys=keys, push_timeout_seconds="3"
    )
    with cluster.running(), cluster.add("notifier", "worker", "notification") as notifier:
        yield cluster, notifier
        cluster.check()


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


async def receive(service: FakePushService, count: int, seconds: float = 20) -> list[dict[str, Any]]:
    """The contents of the pushes, once there are so many."""
    with anyio.fail_after(patient(seconds)):
        while len(service.received) < count:
            await service.arrived.wait()
    return [each.content for each in service.received]


@pytest.mark.parametrize("kind", KINDS)
async def test_who_closed_the_page_gets_one_push_on_each_device(
    kind: str, tmp_path: Path, http: httpx.AsyncClient
) -> None:
    async with push_service() as (service, address):
        with running_server(kind, address, tmp_path) as (server, sender):
            engines = (await http.get(f"{sender.http}/readyz")).json()["engines"]
            assert engines.get("announcer") == (None if kind == "serve" else "ok")
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
            async with ann.chat() as chat:  # read on one device, it closes on all
                await chat.ok("read", with_=ben.id, seq=1)
                contents = await receive(service, 4)
                assert [(each["type"], each["seq"]) for each in contents[2:]] == [("close", 1), ("close", 1)]


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
async def test_a_sender_that_is_killed_while_it_sends_sends_again(
    kind: str, tmp_path: Path, http: httpx.AsyncClient
) -> None:
    """What it had claimed comes back when the claim ends: twice for a device that had it, with the same topic."""
    async with push_service() as (service, address):
        with running_server(kind, address, tmp_path) as (server, sender):
            ann, ben = await register(server, http), await register(server, http)
            await subscribe(service, ann, "/phone")
            service.hangs.add("/phone")
            async with ben.chat() as chat:
                await chat.ok("dm", to=ann.id, text="are you there?", client_id=new_id())
            with anyio.fail_after(patient(20)):
                while not service.busy:  # noqa: ASYNC110 - a push that gets no answer notifies nobody
                    await anyio.sleep(0.05)
            await anyio.to_thread.run_sync(sender.kill)
            service.hangs.clear()
            sender.start()
            (content,) = await receive(service, 1, seconds=120)
            assert (content["body"], content["seq"]) == ("are you there?", 1)


async def test_the_key_of_a_whole_server_is_its_user_s_alone(new_server: NewServer, http: httpx.AsyncClient) -> None:
    server: ServerProcess = new_server()
    ann = await register(server, http)
    first = await ann.call("GET", "/api/push/key")
    key = server.data / "vapid.keys"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    server.terminate()
    assert await anyio.to_thread.run_sync(server.wait) == 0
    server.start()
    assert await ann.call("GET", "/api/push/key") == first


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
