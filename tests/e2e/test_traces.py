"""One trace from an edge over the log, a worker and the relay to an edge, in one process and in roles apart."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import anyio
import httpx
import pytest

from tests.support.cluster_process import Cluster
from tests.support.collector import Collector, Seen, collecting
from tests.support.own_servers import servers_with
from tests.support.patience import patient
from tests.support.people import Server, register
from tests.support.process import ServerProcess
from tests.support.push_service import FakePushService, serve_app

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
SECRET = "the text that nobody must read"


async def talk(server: Server, http: httpx.AsyncClient) -> None:
    """A message to a room, and a direct one."""
    ada, ben = await register(server, http), await register(server, http)
    room = await ada.new_room()
    async with ada.chat() as chat, ben.chat() as other:
        await chat.ok("subscribe", room=room)
        await chat.ok("send", room=room, text=SECRET, client_id=str(uuid.uuid4()))
        await chat.event("message")
        await chat.ok("dm", to=ben.id, text=SECRET, client_id=str(uuid.uuid4()))
        await other.event("dm")
        await chat.refused("send", room=str(uuid.uuid4()), text=SECRET, client_id=str(uuid.uuid4()))


async def until_found(collector: Collector, wanted: Callable[[list[Seen]], bool]) -> list[Seen]:
    """The first trace that is as wanted. Fails with the names of all that came."""
    with anyio.move_on_after(patient(30)):
        while True:
            for spans in collector.traces().values():
                if wanted(spans):
                    return spans
            await anyio.sleep(0.1)
    raise AssertionError({tuple(span.name for span in spans) for spans in collector.traces().values()})


def has(name: str) -> Callable[[list[Seen]], bool]:
    """Whether a trace has a span of this name."""
    return lambda spans: any(span.name == name for span in spans)


def find_chain(spans: list[Seen], *names: str) -> list[Seen]:
    """Spans of these names, each the child of the one before, and the first without a parent; else none.

    Every process sends its spans when it likes, so some may be there before others.
    """
    chain: list[Seen] = []
    for name in names:
        parent = chain[-1].id if chain else ""
        span = next((span for span in spans if span.name == name and span.parent == parent), None)
        if span is None:
            return []
        chain.append(span)
    return chain


async def until_chain(collector: Collector, *names: str) -> list[Seen]:
    """The first chain of these names in a trace."""
    return find_chain(await until_found(collector, lambda spans: bool(find_chain(spans, *names))), *names)


def has_direct_message(spans: list[Seen]) -> bool:
    """Whether the live copies of both users were delivered, and the message was stored, as parts of the command."""
    copies = sum(span.name == "deliver user" for span in spans)
    stored, delivered = (
        find_chain(spans, "command dm", "handle persistence"),
        find_chain(spans, "command dm", "deliver user"),
    )
    return copies == 2 and bool(stored and delivered)


async def check_traces(server: Server, http: httpx.AsyncClient, collector: Collector) -> list[str]:
    """The services through which a message to a room went."""
    await talk(server, http)
    spans = await until_chain(collector, "command send", "handle persistence", "deliver room")
    await until_found(collector, has_direct_message)
    await until_found(collector, has("POST /api/rooms"))
    await until_found(collector, lambda trace: any("forbidden" in str(span.attributes) for span in trace))
    assert "SECRET" not in collector.text()
    assert SECRET not in collector.text()
    return [span.service for span in spans]


async def test_one_trace_through_one_process(http: httpx.AsyncClient, tmp_path: Path) -> None:
    with collecting() as collector:
        environment = {"tracing_endpoint": collector.endpoint, "tracing_ratio": "1"}
        with ServerProcess("traces", tmp_path, **environment) as server:
            assert await check_traces(server, http, collector) == ["rookery-serve"] * 3
            server.terminate()
            assert server.wait() == 0
            server.check()


async def test_a_push_is_in_the_trace_of_its_message(http: httpx.AsyncClient, tmp_path: Path) -> None:
    service = FakePushService()
    async with serve_app(service) as address:
        service.audience = f"http://{address}"
        with collecting() as collector:
            environment = {"tracing_endpoint": collector.endpoint, "tracing_ratio": "1", "push_hosts": address}
            with ServerProcess("traces-push", tmp_path, **environment) as server:
                ada, ben = await register(server, http), await register(server, http)
                browser = {**service.add_browser("/phone").as_json()}
                browser["key"] = (await ben.call("GET", "/api/push/key"))["key"]
                await ben.call("POST", "/api/push/subscriptions", browser, status=201)
                async with ada.chat() as chat:
                    await chat.ok("dm", to=ben.id, text=SECRET, client_id=str(uuid.uuid4()))
                await until_chain(
                    collector, "command dm", "handle persistence", "handle notification", "announce", "push"
                )
                assert SECRET not in collector.text()
                server.check()


async def test_what_is_not_sampled_is_not_sent(http: httpx.AsyncClient, tmp_path: Path) -> None:
    with collecting() as collector:
        environment = {"tracing_endpoint": collector.endpoint, "tracing_ratio": "0"}
        with ServerProcess("traces-none", tmp_path, **environment) as server:
            await talk(server, http)
            # What a stranger brings does not decide; what a trusted proxy brings does.
            forced = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
            assert (await http.get(f"{server.http}/healthz", headers=forced)).status_code == 200
            server.terminate()
            assert server.wait() == 0
        assert collector.spans == []


async def test_the_trace_of_a_trusted_proxy_goes_on(http: httpx.AsyncClient, tmp_path: Path) -> None:
    with collecting() as collector:
        environment = {"tracing_endpoint": collector.endpoint, "tracing_ratio": "0", "trusted_proxies": "127.0.0.1"}
        with ServerProcess("traces-proxy", tmp_path, **environment) as server:
            brought = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
            assert (await http.get(f"{server.http}/healthz", headers=brought)).status_code == 200
            (span,) = await until_found(collector, has("GET /healthz"))
        assert (span.trace, span.parent) == ("a" * 32, "b" * 16)


async def test_a_collector_that_is_away_stops_nobody(http: httpx.AsyncClient, tmp_path: Path) -> None:
    environment = {"tracing_endpoint": "http://127.0.0.1:9/v1/traces", "tracing_ratio": "1"}
    with ServerProcess("traces-away", tmp_path, **environment) as server:
        await talk(server, http)
        server.terminate()
        assert server.wait() == 0


@pytest.mark.long
@pytest.mark.production
async def test_one_trace_through_roles_apart(http: httpx.AsyncClient) -> None:
    with collecting() as collector:
        cluster = Cluster(
            "traces",
            servers_with(),
            services=True,
            moderation="on",
            register_per_minute="100000",
            tracing_endpoint=collector.endpoint,
            tracing_ratio="1",
        )
        with cluster.running():
            services = await check_traces(cluster, http, collector)
            assert services == ["rookery-edge", "rookery-worker", "rookery-edge"]
            call = "/rookery.moderation.v1.ModerationService/Check"
            way = await until_chain(
                collector, "command send", "handle moderation", call, call
            )  # both sides of the call
            assert [span.service for span in way][1:] == ["rookery-worker", "rookery-worker", "rookery-moderation"]
            check = "/rookery.auth.v1.AuthService/CheckToken"
            await until_chain(collector, "command auth", check, check)
