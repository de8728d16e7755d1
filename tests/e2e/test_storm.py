"""Eight thousand clients come at the same moment: all of them are let in, and none is refused after it was begun."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator

import pytest

from perf.connections import MEMBERS, Plan, Result, bring_in, leave
from perf.served import Served, served

pytestmark = [pytest.mark.slow, pytest.mark.long]

CLIENTS = 8000
ROOMS = 2


@pytest.fixture
def server() -> Iterator[Served]:
    """A server, and descriptors for the clients of this process."""
    before, cores = resource.getrlimit(resource.RLIMIT_NOFILE), os.sched_getaffinity(0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    with served(users=CLIENTS, rooms=ROOMS * CLIENTS // MEMBERS, members=MEMBERS) as running:
        yield running
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
    os.sched_setaffinity(0, cores)


def come_at_once(server: Served, since: int | None) -> Result:
    blocks = CLIENTS // MEMBERS
    rooms = [server.rooms[user // MEMBERS :: blocks] for user in range(CLIENTS)]
    plans = [Plan(token, rooms[user], since) for user, token in enumerate(server.tokens)]
    return bring_in(server, plans, CLIENTS)


def test_all_are_let_in_and_again_when_they_come_back_to_resume(server: Served) -> None:
    for since in (None, 0):
        result = come_at_once(server, since)
        assert result.ends == {"live": CLIENTS}
        leave(result)
