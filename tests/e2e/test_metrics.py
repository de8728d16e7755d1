"""The metrics of every role: their names and labels keep the rules, and stand in docs/observability.md."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import servers_with
from tests.support.people import Server, register
from tests.support.process import ServerProcess
from tests.support.scraped import documented_metrics, find_faults, scraped_metrics

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
MOST_SERIES = 4000
OF_SUPERVISORS = {"rookery_edge_processes", "rookery_edge_process_restarts_total"}
"""tests/faults/test_processes.py scrapes them."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess("metrics", tmp_path_factory.mktemp("data"), moderation="on", notifications="on") as process:
        yield process
        process.check()


async def use_everything(server: Server, http: httpx.AsyncClient) -> None:
    """Talk, and do what might make new values of labels."""
    ada = await register(server, http)
    room = await ada.new_room()
    async with ada.chat() as chat:
        await chat.ok("subscribe", room=room)
        await chat.ok("send", room=room, text="hello", client_id=str(uuid.uuid4()))
        await chat.refused("send", room=str(uuid.uuid4()), text="hello", client_id=str(uuid.uuid4()))
        await chat.refused(f"no-{uuid.uuid4()}")
        await chat.event("message")
    for number in range(60):
        path = f"/api/{uuid.uuid4()}" if number % 2 else f"/api/rooms/{uuid.uuid4()}"
        assert (await http.get(f"{server.http}{path}")).status_code in {401, 404}
        assert (await http.request(f"METHOD{number}", f"{server.http}/api/rooms")).status_code in {401, 405}


def scrape(url: str) -> str:
    return httpx.get(f"{url}/metrics", timeout=30).text


def check_scraped(text: str) -> set[str]:
    metrics = scraped_metrics(text)
    assert find_faults(metrics) == []
    assert sum(len(metric.samples) for metric in metrics.values()) < MOST_SERIES
    return set(metrics)


async def test_one_process(whole: ServerProcess, http: httpx.AsyncClient) -> None:
    await use_everything(whole, http)
    check_scraped(scrape(whole.http))


@pytest.mark.production
async def test_every_role_and_no_metric_is_missing(
    whole: ServerProcess, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    cluster = Cluster("metrics", servers_with(), services=True, edges=1, moderation="on", register_per_minute="100000")
    with cluster.running():
        await use_everything(cluster, http)
        found = {name: check_scraped(scrape(each.http)) for name, each in cluster.processes.items()}
    for names in found.values():
        assert names >= {"rookery_build_info", "rookery_loop_lag_seconds", "process_resident_memory_bytes"}
    await use_everything(whole, http)
    everywhere = set().union(*found.values(), check_scraped(scrape(whole.http)))
    assert documented_metrics().keys() - everywhere == OF_SUPERVISORS
