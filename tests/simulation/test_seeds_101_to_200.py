"""The second hundred: see `test_seeds.py`."""

from __future__ import annotations

import pytest

from tests.simulation.run import simulate

MEASURED = False  # the first hundred is, and runs the same lines


@pytest.mark.parametrize("seed", range(101, 201))
def test_every_promise_is_kept(seed: int) -> None:
    outcome = simulate(seed)
    if outcome.broken:
        pytest.fail(outcome.full_story(), pytrace=False)
