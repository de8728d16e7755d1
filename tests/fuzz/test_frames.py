"""A bounded run of the frame fuzzer with a fixed seed; the open-ended one is `python tests/fuzz/frames.py`."""

from __future__ import annotations

import random

import pytest

from tests.fuzz import frames


def test_the_invariant_holds_for_a_fixed_seed() -> None:
    frames.run(seed=1, rounds=1500)


def test_a_failure_names_its_seed() -> None:
    def fail(_: random.Random) -> None:
        raise frames.Broken("some bytes")

    with pytest.raises(frames.Broken, match="seed 7: some bytes"):
        frames.run(7, 1, fail)
