"""The simulation finds each planted defect, within the seeds that every change must pass."""

from __future__ import annotations

import pytest

from tests.simulation.defects import DEFECTS
from tests.simulation.run import simulate

SEEDS = range(1, 201)
# Where the search begins, to be quick. When a change lets the seeds draw something else, the others are tried, too.
BEGIN = {
    "keep the sequence after a rebalance": 29,
    "no fence": 69,
    "an interruption of the relay that nobody reports": 36,
    "no hold-back between history and live": 9,
    "a hole that the edge ignores": 7,
    "read history before the subscription is confirmed": 35,
    "keep sessions whose channel was interrupted": 63,
    "a full outbox is emptied without a word": 30,
    "an outbox without a bound": 30,
    "commit what could not be stored": 5,
    "a ban that leaves the banned one in the room": 4,
    "do not publish again what is stored": 47,
    "a role that goes on in a cache": 45,
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(name: str) -> None:
    seeds = sorted(SEEDS, key=lambda seed: seed != BEGIN.get(name))
    assert any(simulate(seed, DEFECTS[name], to_the_end=False).broken for seed in seeds)
