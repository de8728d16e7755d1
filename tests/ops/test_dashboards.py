"""The dashboards: each query, asked of a real Prometheus that scrapes the running system, has something to show."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from scripts.lib.monitoring import make_files
from scripts.lib.panels import BOARDS, Panel
from scripts.lib.servers import prometheus
from scripts.lib.servers.process import Needs
from tests.support.cluster_process import Cluster
from tests.support.own_servers import servers_with
from tests.support.patience import patient
from tests.support.people import Person, Server, register
from tests.support.process import ServerProcess

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "ops/prometheus/rules.yml"
TOOLS = ROOT / "output/servers/tools"
WINDOW = "15s"


@pytest.fixture(params=["asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """`websockets` is an asyncio library, and processes live in real time."""
    return str(request.param)


def list_panels() -> list[tuple[str, Panel]]:
    return [(board.name, panel) for board in BOARDS for panels in board.rows.values() for panel in panels]


@contextmanager
def scraping(folder: Path, addresses: Sequence[str]) -> Iterator[str]:
    """A Prometheus that scrapes these; where it is."""
    try:
        process = prometheus.process(folder, TOOLS, addresses, [RULES])
    except Needs as error:
        pytest.skip(str(error).splitlines()[0])
    process.launch()
    try:
        process.await_ready()
        yield prometheus.url(folder)
    finally:
        process.stop()


async def keep_talking(server: Server, ada: Person, room: str, done: anyio.Event) -> None:
    """Messages to a room and to oneself's friend, a search, a mistake, and a session that the server closes, until
    it is done."""
    ben = await register(server, ada.http)
    async with ada.chat() as chat, ben.chat():
        await chat.ok("subscribe", room=room)
        while not done.is_set():
            await chat.ok("send", room=room, text="hello", client_id=str(uuid.uuid4()))
            await chat.ok("dm", to=ben.id, text="hello", client_id=str(uuid.uuid4()))
            await chat.refused("send", room=str(uuid.uuid4()), text="hello", client_id=str(uuid.uuid4()))
            await ada.call("GET", "/api/rooms")
            async with ada.chat(auth=False) as stranger:
                await stranger.say("typing", room=room)
                assert (await stranger.closed())[0] == 4000
            await anyio.sleep(0.2)


async def ask(http: httpx.AsyncClient, url: str, expr: str) -> list[float]:
    """The values that a query has now, without those that are no number."""
    query = expr.replace("$__rate_interval", WINDOW)
    answer = (await http.get(f"{url}/api/v1/query", params={"query": query})).json()
    assert answer["status"] == "success", (expr, answer)
    values = [float(series["value"][1]) for series in answer["data"]["result"]]
    return [value for value in values if not math.isnan(value)]


async def check_queries(server: Server, url: str, *, apart: bool) -> None:
    """Every query of every panel has a value within a bounded time, while somebody talks."""
    missing = {
        (board, panel.title, query.expr)
        for board, panel in list_panels()
        for query in panel.queries
        if panel.where in ("everywhere", "apart" if apart else "whole")
    }
    async with httpx.AsyncClient(trust_env=False) as http, anyio.create_task_group() as tasks:
        ada = await register(server, http)
        done = anyio.Event()
        tasks.start_soon(keep_talking, server, ada, await ada.new_room(), done)
        with anyio.move_on_after(patient(60)):
            while missing:
                await anyio.sleep(1)
                for board, title, expr in sorted(missing):
                    if await ask(http, url, expr):
                        missing.discard((board, title, expr))
        for _, panel in list_panels():
            for query in panel.queries:
                await ask(http, url, query.expr)  # what shows nothing here is a query all the same
        down = await ask(http, url, 'up{job="rookery"} == 0')
        done.set()
    assert missing == set()
    assert down == []


def test_what_is_committed_is_what_would_be_made() -> None:
    stale = [path.name for path, text in make_files().items() if not path.exists() or path.read_text() != text]
    assert stale == [], "run scripts/lint --fix"


def test_each_dashboard_has_its_panels_and_the_component_brings_it() -> None:
    folder = ROOT / "k8s/components/monitoring"
    component = (folder / "kustomization.yaml").read_text()
    for board in BOARDS:
        made = json.loads((folder / f"dashboards/{board.name}.json").read_text())
        shown = [panel["title"] for panel in made["panels"] if panel["type"] != "row"]
        assert shown == [panel.title for panels in board.rows.values() for panel in panels]
        assert f"dashboards/{board.name}.json" in component


@pytest.mark.long
@pytest.mark.slow
async def test_every_query_shows_something_of_one_process(tmp_path: Path) -> None:
    with (
        ServerProcess(
            "dashboards", tmp_path / "data", moderation="on", notifications="on", rate_limits="off"
        ) as server,
        scraping(tmp_path / "prometheus", [server.http_address]) as url,
    ):
        await check_queries(server, url, apart=False)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.production
async def test_every_query_shows_something_of_roles_apart(tmp_path: Path) -> None:
    cluster = Cluster("dashboards", servers_with(), services=True, moderation="on", register_per_minute="100000")
    with cluster.running():
        addresses = [process.http_address for process in cluster.processes.values()]
        with scraping(tmp_path / "prometheus", addresses) as url:
            await check_queries(cluster, url, apart=True)
