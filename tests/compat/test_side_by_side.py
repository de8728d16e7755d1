"""Roles of the release before and of this one, side by side on the same servers, as during an upgrade."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.cluster_process import Cluster
from tests.support.own_servers import servers_with
from tests.support.previous import PreviousRole, run_previous_tool
from tests.support.traffic import Traffic

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.production, pytest.mark.long]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """An edge and a worker of each release. Those of before started first; then the database was migrated."""
    upgraded = Cluster("compat", servers_with(), edges=1, workers=1)
    run_previous_tool(upgraded.environment, "db", "migrate")
    run_previous_tool(upgraded.environment, "topics", "apply")
    with ExitStack() as stack:
        old = {
            "old-worker": PreviousRole(
                "compat-old-worker", "worker", "persistence", edge=False, **upgraded.environment
            ),
            "old-edge": PreviousRole("compat-old-edge", "edge", edge=True, **upgraded.environment),
        }
        for role in old.values():
            stack.enter_context(role)
        with upgraded.running():
            upgraded.processes.update(old)
            yield upgraded


async def test_people_talk_over_both(cluster: Cluster, tmp_path: Path) -> None:
    """All that is acknowledged is shown to everybody, once and in order, while workers of both share the partitions."""
    traffic = Traffic(cluster, cluster.seed(tmp_path, users=16, rooms=4, members=8), senders=12)
    async with traffic.flows():
        await traffic.until_acked(150)
        cluster.processes["old-worker"].terminate()  # its partitions go to the new one
        await traffic.until_acked(60)
        cluster.processes["old-edge"].terminate()
        await traffic.until_acked(60)
    cluster.check("old-worker", "old-edge")
