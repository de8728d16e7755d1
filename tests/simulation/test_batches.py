"""Clusters whose edges write in batches keep every promise, and behave as those whose edges do not."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.simulation.cluster import Parts
from tests.simulation.defects import edge_with
from tests.simulation.run import simulate
from tests.support.native import open_way


@pytest.mark.parametrize("way", ["io_uring", "loop"])
@pytest.mark.parametrize("seed", range(1, 6))
def test_every_promise_is_kept_when_edges_write_in_batches(seed: int, way: Literal["io_uring", "loop"]) -> None:
    outcome = simulate(seed, Parts(edge=edge_with(sends=lambda _wanted: open_way(way))))
    if outcome.broken:
        pytest.fail(outcome.full_story(), pytrace=False)
    one_by_one = simulate(seed, Parts(edge=edge_with(sends=lambda _wanted: None)))
    assert outcome.full_story() == one_by_one.full_story()
