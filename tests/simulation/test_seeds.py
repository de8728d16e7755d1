"""Each seed is a whole cluster under faults of its own; afterwards, the six promises are checked. See also
`test_seeds_101_to_200.py`: of two files, two processes run one each."""

from __future__ import annotations

import pytest

from tests.simulation.run import simulate


@pytest.mark.parametrize("seed", range(1, 101))
def test_every_promise_is_kept(seed: int) -> None:
    outcome = simulate(seed)
    if outcome.broken:
        pytest.fail(outcome.full_story(), pytrace=False)
