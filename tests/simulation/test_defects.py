"""The simulation bites: each planted defect is found, within the seeds that a change has to pass."""

from __future__ import annotations

import pytest

from tests.simulation.defects import DEFECTS
from tests.simulation.run import simulate

SEEDS = range(1, 201)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(name: str) -> None:
    assert any(simulate(seed, DEFECTS[name], to_the_end=False).broken for seed in SEEDS)
