"""Two edges behind a real nginx are restarted one after the other, while people talk: by plain WebSockets that do what
`closing` says, and by our client library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest

from tests.support.cluster_process import Cluster
from tests.support.library_talk import LibraryTalk
from tests.support.nginx import nginx_before
from tests.support.own_servers import servers_with
from tests.support.patience import patient
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production, pytest.mark.long]
SPREAD_SECONDS = 3.0
PEOPLE = 40
LIBRARY_PEOPLE = 8


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster("rolling", servers_with(), drain_jitter_seconds=str(SPREAD_SECONDS)).running() as running:
        yield running


async def test_edges_are_restarted_under_load(cluster: Cluster, tmp_path: Path) -> None:
    with nginx_before(cluster, tmp_path / "nginx") as address:
        ws = f"ws://{address}/ws"
        seeded = cluster.seed(tmp_path, users=PEOPLE, rooms=2, members=PEOPLE)
        traffic = Traffic(cluster, seeded, senders=16, pace=0.5, ws=ws, obeys=True)
        library = LibraryTalk(
            ws, cluster.http, cluster.seed(tmp_path, users=LIBRARY_PEOPLE, rooms=1, members=LIBRARY_PEOPLE)
        )
        async with traffic.flows(), library.flows():
            for name in ("edge0", "edge1"):
                edge, gone = cluster.processes[name], len(told_waits(traffic))
                edge.terminate()
                assert await anyio.to_thread.run_sync(edge.wait) == 0
                assert len(told_waits(traffic)) > gone, "nobody was at this edge, so nothing was tried"
                await traffic.until_acked(20)
                await anyio.to_thread.run_sync(edge.start)
                async with httpx.AsyncClient(trust_env=False) as http:
                    assert (await http.get(f"{edge.http}/readyz", timeout=patient(10))).status_code == 200
            await traffic.until_shown()
        waits = told_waits(traffic)
        assert len(waits) >= PEOPLE  # everybody was at one of the two, some at both
        assert all(0 < wait <= SPREAD_SECONDS for wait in [*waits, *library.waits])
        assert len({round(wait * 4) for wait in waits}) > 6, "they all come back at once"
        assert any(library.waits)
    cluster.check()


def told_waits(traffic: Traffic) -> list[float]:
    return [wait for each in traffic.participants for wait in each.told_waits]
