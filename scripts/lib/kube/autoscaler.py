"""What the HorizontalPodAutoscaler decides, by the formula of Kubernetes' own controller.

Source: kubernetes v1.34, pkg/controller/podautoscaler (replica_calculator.go, horizontal.go), for metrics of the types
Pods (AverageValue) and Resource (Utilization), whose numbers are the same sum here: an average of pods and a target.

Rule 1: a ratio within a tenth of 1 changes nothing; else the wanted number is the ratio times the pods that have a
        number, rounded up. Of several metrics, the largest wanted number counts.
Rule 2: a pod without a number counts as 0 when the ratio is above 1, and as the target when it is below; if that turns
        the direction around, nothing changes. A pod that is pending counts as 0, and only when the ratio is above 1.
Rule 3: of what was wanted within a window of stabilization, scaling down takes the largest, scaling up the smallest.
Rule 4: a policy bounds how far the number may move from what it was a period ago; `Max` takes the widest bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TOLERANCE = 0.1
SYNC_SECONDS = 15


@dataclass(frozen=True)
class Policy:
    """`kind` is Pods or Percent."""

    kind: str
    value: int
    period: int


@dataclass(frozen=True)
class Direction:
    """How fast the number may grow, or shrink. `window` is in seconds."""

    window: int
    policies: Sequence[Policy]


@dataclass
class Autoscaler:
    """Decides every `SYNC_SECONDS`; remembers what it wanted and what it did."""

    least: int
    most: int
    up: Direction
    down: Direction
    wanted: list[tuple[float, int]] = field(default_factory=list)
    grown: list[tuple[float, int]] = field(default_factory=list)
    shrunk: list[tuple[float, int]] = field(default_factory=list)

    @classmethod
    def from_manifest(cls, scaler: Mapping[str, Any]) -> Autoscaler:
        """By the `spec` of a HorizontalPodAutoscaler that names its behaviour in full."""
        spec = scaler["spec"]
        behavior = spec["behavior"]
        return cls(
            spec["minReplicas"],
            spec["maxReplicas"],
            _read_direction(behavior["scaleUp"]),
            _read_direction(behavior["scaleDown"]),
        )

    def decide_replicas(self, now: float, current: int, wanted: Sequence[int]) -> int:
        """How many pods there shall be, when `current` are and the metrics want these."""
        desired = min(max(*wanted, self.least), self.most)
        stable = self._stabilize(now, current, desired)
        if stable > current:
            stable = min(stable, max(self._limit_growth(now, current), current))
            self.grown.append((now, stable - current))
        elif stable < current:
            stable = max(stable, min(self._limit_shrinking(now, current), current))
            self.shrunk.append((now, current - stable))
        return stable

    def _stabilize(self, now: float, current: int, desired: int) -> int:
        """Rule 3."""
        self.wanted.append((now, desired))
        up = min(each for at, each in self.wanted if at > now - self.up.window or at == now)
        down = max(each for at, each in self.wanted if at > now - self.down.window or at == now)
        if current < up:
            return up
        return min(current, down)

    def _limit_growth(self, now: float, current: int) -> int:
        """Rule 4."""
        bounds = []
        for policy in self.up.policies:
            before = self._count_before(now, current, policy.period)
            more = policy.value if policy.kind == "Pods" else before * policy.value / 100
            bounds.append(math.ceil(before + more))
        return max(bounds)

    def _limit_shrinking(self, now: float, current: int) -> int:
        """Rule 4."""
        bounds = []
        for policy in self.down.policies:
            before = self._count_before(now, current, policy.period)
            less = policy.value if policy.kind == "Pods" else before * policy.value / 100
            bounds.append(math.floor(before - less))
        return min(bounds)

    def _count_before(self, now: float, current: int, period: int) -> int:
        grown = sum(count for at, count in self.grown if at > now - period)
        return current - grown + sum(count for at, count in self.shrunk if at > now - period)


def want_replicas(current: int, values: Sequence[float], target: float, *, missing: int = 0, pending: int = 0) -> int:
    """What one metric wants: `values` of the pods that have one, `missing` that run without, and `pending` ones."""
    if not values:
        return current
    ratio = sum(values) / len(values) / target
    counts_pending = pending > 0 and ratio > 1
    if not missing and not counts_pending:
        return current if abs(ratio - 1) <= TOLERANCE else math.ceil(ratio * len(values))  # rule 1
    filled = [*values, *[target if ratio < 1 else 0.0] * missing, *[0.0] * (pending if counts_pending else 0)]  # rule 2
    again = sum(filled) / len(filled) / target
    if abs(again - 1) <= TOLERANCE or (ratio < 1 < again) or (again < 1 < ratio):
        return current
    wanted = math.ceil(again * len(filled))
    return current if (again < 1 and wanted > current) or (again > 1 and wanted < current) else wanted


def _read_direction(rules: Mapping[str, Any]) -> Direction:
    policies = [Policy(each["type"], each["value"], each["periodSeconds"]) for each in rules["policies"]]
    return Direction(rules.get("stabilizationWindowSeconds", 0), policies)
