"""The autoscaler's formula, and what it does to the edge: no pod is ever full, and few clients are sent elsewhere."""

from __future__ import annotations

import pytest

from scripts.lib.kube.autoscaler import SYNC_SECONDS, Autoscaler, Direction, Policy, want_replicas
from scripts.lib.kube.scaling import PICTURE, Scenario, draw_scenarios, list_scenarios, play_scenario, read_scaler

FAST = Direction(0, [Policy("Percent", 100, 15), Policy("Pods", 4, 15)])
SLOW = Direction(600, [Policy("Pods", 1, 120)])
FULL = 20_000


@pytest.mark.parametrize(
    ("current", "values", "missing", "pending", "wanted"),
    [
        (3, [10_000.0] * 3, 0, 0, 3),
        (3, [10_900.0] * 3, 0, 0, 3),
        (3, [11_100.0] * 3, 0, 0, 4),
        (3, [9_100.0] * 3, 0, 0, 3),
        (3, [6_000.0] * 3, 0, 0, 2),
        (3, [20_000.0] * 3, 0, 0, 6),
        (6, [12_000.0] * 4, 2, 0, 6),
        (6, [8_000.0] * 4, 2, 0, 6),
        (6, [1_000.0] * 4, 2, 0, 3),
        (6, [20_000.0] * 4, 0, 2, 8),
        (6, [5_000.0] * 4, 0, 2, 2),
        (3, [], 3, 0, 3),
    ],
    ids=[
        "on target",
        "within a tenth above",
        "above a tenth",
        "within a tenth below",
        "below",
        "twice",
        "missing pods count as 0 upwards and turn the direction",
        "missing pods count as full downwards and leave little",
        "missing pods count as full downwards",
        "pending pods count as 0 upwards",
        "pending pods do not count downwards",
        "no numbers at all",
    ],
)
def test_a_metric_wants_what_the_controller_computes(
    current: int, values: list[float], missing: int, pending: int, wanted: int
) -> None:
    assert want_replicas(current, values, 10_000.0, missing=missing, pending=pending) == wanted


def test_growth_is_bounded_by_the_widest_policy_of_a_period() -> None:
    scaler = Autoscaler(3, 40, FAST, SLOW)
    assert scaler.decide_replicas(0, 3, [40]) == 7
    assert scaler.decide_replicas(15, 7, [40]) == 14
    assert scaler.decide_replicas(20, 14, [40]) == 14
    assert scaler.decide_replicas(30, 14, [40]) == 28


def test_the_number_stays_between_its_bounds_and_the_largest_metric_counts() -> None:
    assert Autoscaler(3, 12, FAST, SLOW).decide_replicas(0, 11, [40, 5]) == 12
    assert Autoscaler(3, 12, FAST, SLOW).decide_replicas(0, 3, [1, 0]) == 3


def test_shrinking_waits_for_its_window_and_goes_one_by_one() -> None:
    scaler = Autoscaler(3, 12, FAST, SLOW)
    current, changes = 6, []
    for now in range(0, 1200, SYNC_SECONDS):
        decided = scaler.decide_replicas(now, current, [6 if now == 0 else 3])
        if decided != current:
            changes.append((now, decided))
        current = decided
    assert changes == [(600, 5), (720, 4), (840, 3)]


def test_a_percent_of_pods_bounds_shrinking_too() -> None:
    half = Direction(0, [Policy("Percent", 50, 60)])
    assert Autoscaler(1, 12, FAST, half).decide_replicas(0, 9, [1]) == 4


@pytest.mark.parametrize("scenario", list_scenarios(), ids=lambda each: each.title)
def test_no_pod_is_ever_full_and_everybody_is_connected_in_the_end(scenario: Scenario) -> None:
    moments, moved = play_scenario(scenario)
    assert max(each.largest for each in moments) <= 0.8 * FULL
    assert moments[-1].connections == pytest.approx(scenario.wanted(scenario.seconds - 1))
    assert moved <= 0.4 * moments[0].connections


def test_the_edge_grows_within_two_minutes_of_a_crowd() -> None:
    moments, _ = play_scenario(list_scenarios()[0])
    assert moments[60].pods == 3
    assert moments[180].pods >= 5


def test_the_behaviour_of_the_manifest_is_what_the_picture_shows() -> None:
    scaler = Autoscaler.from_manifest(read_scaler())
    assert (scaler.least, scaler.most, scaler.down.window) == (3, 12, 600)
    assert PICTURE.read_text() == draw_scenarios()
