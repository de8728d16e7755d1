"""Bounds grow with the slowness of the machine, and stay bounds."""

from __future__ import annotations

import pytest

from tests.support.patience import QUIET_SECONDS, Patience, patient


class Machine:
    """A machine whose slowness, load and clock a test sets."""

    def __init__(self) -> None:
        self.slowness = 1.0
        self.waiting = 0.0
        self.time = 0.0
        self.patience = Patience(lambda: self.slowness * QUIET_SECONDS, lambda: self.waiting, lambda: self.time)


@pytest.mark.parametrize(
    ("slowness", "waiting", "factor"),
    [
        pytest.param(1.0, 0.1, 1, id="quiet"),
        pytest.param(0.2, 0.0, 1, id="fast"),
        pytest.param(4.5, 0.1, 4.5, id="slow now"),
        pytest.param(1.0, 4.5, 4.5, id="crowded in the last minute"),
        pytest.param(1000.0, 1000.0, 20, id="hopeless"),
    ],
)
def test_a_bound_grows_with_the_slowness_of_the_machine(slowness: float, waiting: float, factor: float) -> None:
    machine = Machine()
    machine.slowness, machine.waiting = slowness, waiting
    assert machine.patience.scale(10) == pytest.approx(10 * factor)


def test_slowness_is_measured_again_after_some_seconds() -> None:
    machine = Machine()
    assert machine.patience.scale(10) == 10
    machine.slowness, machine.time = 3.0, 4.0
    assert machine.patience.scale(10) == 10
    machine.time = 5.0
    assert machine.patience.scale(10) == pytest.approx(30)
    machine.slowness, machine.time = 1.0, 10.0
    assert machine.patience.scale(10) == 10


def test_this_machine_has_a_bound() -> None:
    assert 10 <= patient(10) <= 200
