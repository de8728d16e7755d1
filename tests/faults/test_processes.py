"""`rookery edge --processes 2`: people talk through one port while its processes are replaced and killed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import psutil
import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import servers_with
from tests.support.patience import patient
from tests.support.process import RoleProcess
from tests.support.scraped import find_faults, scraped_metrics
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production]
MEASURED = True


OF_SUPERVISORS = {"rookery_edge_processes", "rookery_edge_process_restarts_total"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster("processes", servers_with(), edges=0, drain_jitter_seconds="0.5")
    with made.running():
        edge = made.add("edge", "edge", "--processes", "2", ws_url=made.ws)
        edge.start()
        yield made


@pytest.fixture
def edge(cluster: Cluster) -> RoleProcess:
    return cluster.processes["edge"]


def list_processes(edge: RoleProcess) -> list[psutil.Process]:
    return psutil.Process(edge.process.pid).children()


async def until_ready(edge: RoleProcess, pids: set[int]) -> None:
    """Two processes are there, none of them of `pids`, and all is ready."""
    async with httpx.AsyncClient(trust_env=False) as http:
        with anyio.fail_after(patient(60)):
            while True:
                now = {each.pid for each in list_processes(edge)}
                answer = await http.get(f"{edge.http}/readyz", timeout=patient(10))
                if answer.status_code == 200 and len(now) == 2 and not now & pids:
                    return
                await anyio.sleep(0.1)


async def test_processes_are_replaced_and_killed_while_people_talk(
    cluster: Cluster, edge: RoleProcess, tmp_path: Path
) -> None:
    seeded = cluster.seed(tmp_path, users=16, rooms=2, members=16)
    traffic = Traffic(cluster, seeded, senders=8, ws=edge.ws, obeys=True)
    async with traffic.flows():
        before = {each.pid for each in list_processes(edge)}
        edge.process.send_signal(signal.SIGUSR1)
        await until_ready(edge, before)
        assert all(each.told_waits for each in traffic.participants)  # `closing` came before the close
        await traffic.until_acked(20)
        victim, other = list_processes(edge)
        victim.kill()
        await until_ready(edge, {victim.pid})
        assert other.is_running()
        await traffic.until_acked(20)
    async with httpx.AsyncClient(trust_env=False) as http:
        metrics = (await http.get(f"{edge.http}/metrics", timeout=patient(10))).text
    faults = find_faults(scraped_metrics(metrics))
    assert [each for each in faults if "has the label process," not in each] == []
    assert set(scraped_metrics(metrics)) >= OF_SUPERVISORS
    restarts = [line.split()[-1] for line in metrics.splitlines() if line.startswith("rookery_edge_process_restarts_t")]
    assert sorted(restarts) == ["0.0", "1.0"]
    assert {f'rookery_edge_sessions{{process="{number}"}}' in metrics for number in range(2)} == {True}
    cluster.check()


async def test_none_of_them_outlives_the_supervisor(cluster: Cluster, edge: RoleProcess) -> None:
    processes = list_processes(edge)
    assert len(processes) == 2
    edge.process.kill()
    gone, left = await anyio.to_thread.run_sync(lambda: psutil.wait_procs(processes, timeout=patient(20)))
    assert (len(gone), left) == (2, [])
    await anyio.to_thread.run_sync(edge.start)


async def test_a_signal_drains_them_all(edge: RoleProcess) -> None:
    processes = list_processes(edge)
    edge.terminate()
    assert await anyio.to_thread.run_sync(edge.wait) == 0
    assert not any(each.is_running() for each in processes)
