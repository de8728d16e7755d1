"""Three evenings of the edge under its autoscaler, second by second, and their picture in docs/scaling.svg.

The autoscaler is that of k8s/components/hpa, with the formula of Kubernetes' controller (`autoscaler.py`). The load is
a recording: 3,000 clients that connected to one edge as fast as it let them, stretched to the size of each scenario.
A new pod is there after `START_SECONDS`; the autoscaler sees numbers that are `LATE_SECONDS` old.

`python -m scripts.lib.kube.scaling` draws the picture; `--check` compares.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from perf.drawing import COLOURS
from scripts.lib.kube.autoscaler import SYNC_SECONDS, Autoscaler, want_replicas

ROOT = Path(__file__).resolve().parents[3]
PICTURE = ROOT / "docs/scaling.svg"
START_SECONDS = 20
"""Scheduling, a start of 1.2 s (measured), and the first probe; the image is on the node."""
LATE_SECONDS = 30
"""A scrape every 15 s, and prometheus-adapter's own 15 s."""
FORGET_SECONDS = 300
"""After which Kubernetes replaces the pods of a node that does not answer."""
DRAIN_SECONDS = 60
NOTICE_SECONDS = 50
"""Two heartbeats, over which clients of a dead node notice and come back."""
CONNECT_CPU, HOLD_CPU = 0.00077, 0.0000067
"""Seconds of CPU for a connection to begin, and to stay for a second: measured with the recording."""
REQUESTED_CPU = 0.5
RECORDED = (0, 339, 595, 723, 979, 1363, 1491, 1875, 2259, 2515, 2899, 3000)
"""Open connections of the recording, at equal intervals of its 8.7 s."""


@dataclass
class EdgePod:
    """`ready_at` and `ends_at` are seconds of the scenario; a lost pod takes nobody, and still counts for a while."""

    ready_at: float
    connections: float = 0.0
    ends_at: float | None = None
    lost: bool = False
    history: list[float] = field(default_factory=list)

    def takes_at(self, now: float) -> bool:
        """Whether balancers send it new connections."""
        return now >= self.ready_at and self.ends_at is None and not self.lost


@dataclass
class Moment:
    """What a scenario shows of one second."""

    connections: float
    pods: int
    largest: float


@dataclass(frozen=True)
class Scenario:
    """`wanted` is how many clients want to be connected at a second; at `lost_at` a node dies with `lost_pods`."""

    title: str
    seconds: int
    pods: int
    wanted: Callable[[float], float]
    lost_at: float | None = None
    lost_pods: int = 0


class Edges:
    """The pods of the edge, and clients that spread evenly over those that take them."""

    def __init__(self, scenario: Scenario, autoscaler: Autoscaler, target: float) -> None:
        self._scenario = scenario
        self._autoscaler = autoscaler
        self._target = target
        self._pods = [EdgePod(-3600.0, scenario.wanted(0) / scenario.pods) for _ in range(scenario.pods)]
        self._replicas = scenario.pods
        self._began: list[float] = []
        self._away = 0.0
        self.moved = 0.0
        """Connections that a pod which ended sent elsewhere."""

    def run(self) -> list[Moment]:
        """Every second of the scenario."""
        return [self._step(float(now)) for now in range(self._scenario.seconds)]

    def _step(self, now: float) -> Moment:
        self._lose_node(now)
        self._end_pods(now)
        self._connect(now)
        for pod in self._pods:
            pod.history.append(pod.connections)
        if now % SYNC_SECONDS == 0:
            self._scale(now)
        return Moment(
            sum(pod.connections for pod in self._pods),
            sum(pod.takes_at(now) for pod in self._pods),
            max(pod.connections for pod in self._pods),
        )

    def _lose_node(self, now: float) -> None:
        lost_at = self._scenario.lost_at
        if now == lost_at:
            for pod in self._pods[: self._scenario.lost_pods]:
                self._away += pod.connections
                pod.lost, pod.connections = True, 0.0
        if lost_at is not None and now == lost_at + FORGET_SECONDS:
            self._pods = [pod for pod in self._pods if not pod.lost]
            self._add_pods(now)

    def _end_pods(self, now: float) -> None:
        for pod in self._pods:
            if pod.ends_at is not None:
                sent = pod.connections / max(pod.ends_at - now, 1.0)
                pod.connections -= sent
                self.moved += sent
        self._pods = [pod for pod in self._pods if pod.ends_at is None or now < pod.ends_at]

    def _connect(self, now: float) -> None:
        """Who wants to be connected and is not, connects; who leaves, leaves all pods alike."""
        if self._scenario.lost_at is not None and now > self._scenario.lost_at:
            left = self._scenario.lost_at + NOTICE_SECONDS - now
            self._away = self._away * left / (left + 1) if left > 0 else 0.0
        wanted = self._scenario.wanted(now) - self._away
        there = sum(pod.connections for pod in self._pods)
        taking = [pod for pod in self._pods if pod.takes_at(now)]
        self._began.append(max(wanted - there, 0.0))
        for pod in taking:
            pod.connections += self._began[-1] / len(taking)
        if wanted < there:
            for pod in self._pods:
                pod.connections *= wanted / there

    def _scale(self, now: float) -> None:
        """What the controller does every 15 s."""
        counted = [pod for pod in self._pods if pod.ends_at is None]
        pending = sum(now < pod.ready_at for pod in counted)
        running = [pod for pod in counted if now >= pod.ready_at and not pod.lost]
        seen = [pod.history[-LATE_SECONDS] for pod in running if len(pod.history) > LATE_SECONDS]
        missing = len(counted) - pending - len(seen)
        sessions = want_replicas(len(counted), seen, self._target, missing=missing, pending=pending)
        busy = sum(self._began[-LATE_SECONDS:]) / LATE_SECONDS * CONNECT_CPU / max(len(running), 1)
        cpu = [(busy + each * HOLD_CPU) / REQUESTED_CPU for each in seen]
        work = want_replicas(len(counted), cpu, 0.6, missing=missing, pending=pending)
        self._replicas = self._autoscaler.decide_replicas(now, self._replicas, [sessions, work])
        self._add_pods(now)
        while sum(pod.ends_at is None for pod in self._pods) > self._replicas:
            youngest = max((pod for pod in self._pods if pod.ends_at is None), key=lambda pod: pod.ready_at)
            youngest.ends_at = now + DRAIN_SECONDS

    def _add_pods(self, now: float) -> None:
        while sum(pod.ends_at is None for pod in self._pods) < self._replicas:
            self._pods.append(EdgePod(now + START_SECONDS))


def follow_recording(count: float, begins: float, seconds: float) -> Callable[[float], float]:
    """The recording, stretched to so many clients and seconds."""

    def wanted(now: float) -> float:
        place = min(max((now - begins) / seconds, 0.0), 1.0) * (len(RECORDED) - 1)
        index = min(int(place), len(RECORDED) - 2)
        part = RECORDED[index] + (RECORDED[index + 1] - RECORDED[index]) * (place - index)
        return part / RECORDED[-1] * count

    return wanted


def list_scenarios() -> list[Scenario]:
    """What docs/kubernetes.md shows."""
    arrive = follow_recording(30_000, 60, 60)

    def crowd(now: float) -> float:
        return 15_000.0 + arrive(now)

    leave = follow_recording(54_000, 600, 5400)
    return [
        Scenario("30,000 connections come to 15,000 in a minute", 900, 3, crowd),
        Scenario("A node dies with two of six edges", 900, 6, lambda _now: 48_000.0, lost_at=120, lost_pods=2),
        Scenario("The evening ends: 60,000 become 6,000", 9000, 6, lambda now: 60_000.0 - leave(now)),
    ]


def read_scaler() -> dict[str, Any]:
    """The manifest of the edge's autoscaler."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "k8s/components/hpa/edge.yaml").read_text())
    return found


def play_scenario(scenario: Scenario) -> tuple[list[Moment], float]:
    """Its moments, and how many connections pods that ended sent elsewhere."""
    manifest = read_scaler()
    target = next(each["pods"]["target"]["averageValue"] for each in manifest["spec"]["metrics"] if "pods" in each)
    edges = Edges(scenario, Autoscaler.from_manifest(manifest), float(target))
    return edges.run(), edges.moved


WIDTH, LEFT, PANEL, GAP = 760, 60, 120, 92


def draw_scenarios() -> str:
    """The picture: for each scenario the fullest pod against its limit, and the number of pods."""
    scenarios = list_scenarios()
    height = 40 + len(scenarios) * (PANEL + GAP)
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
    font = 'font-family="system-ui, sans-serif" font-size="13"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {font}>',
        "<title>The edge under its autoscaler</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *_text(LEFT, 24, "blue: connections of the fullest pod, which takes 20,000 · orange: pods that take new ones"),
    ]
    for number, scenario in enumerate(scenarios):
        moments, moved = play_scenario(scenario)
        lines += _draw_panel(scenario, moments, moved, 66 + number * (PANEL + GAP))
    return "\n".join([*lines, "</svg>", ""])


def _draw_panel(scenario: Scenario, moments: Sequence[Moment], moved: float, top: int) -> Iterator[str]:
    largest, pods = max(each.largest for each in moments), [each.pods for each in moments]
    facts = f"{scenario.title}: at most {largest:,.0f} in a pod, {min(pods)} to {max(pods)} pods, {moved:,.0f} moved"
    yield from _text(LEFT, top - 10, facts, bold=True)
    yield f'<rect x="{LEFT}" y="{top}" width="{WIDTH - 2 * LEFT}" height="{PANEL}" fill="none" stroke="#999999"/>'
    yield from _line([each.largest / 20_000 for each in moments], top, COLOURS[0])
    yield from _line([each.pods / 12 for each in moments], top, COLOURS[1])
    yield from _text(8, top + 12, "20,000")
    yield from _text(8, top + PANEL, "0")
    yield from _text(WIDTH - LEFT + 6, top + 12, "12 pods")
    yield from _text(LEFT, top + PANEL + 18, "0 s")
    yield from _text(WIDTH - LEFT - 40, top + PANEL + 18, f"{scenario.seconds:,} s")


def _line(values: Sequence[float], top: int, colour: str) -> Iterator[str]:
    step = max(len(values) // 300, 1)
    scale = (WIDTH - 2 * LEFT) / (len(values) - 1)
    points = " ".join(
        f"{LEFT + at * scale:.1f},{top + PANEL * (1 - min(values[at], 1)):.1f}" for at in range(0, len(values), step)
    )
    yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _text(left: float, top: float, words: str, *, bold: bool = False) -> Iterator[str]:
    weight = ' font-weight="600"' if bold else ""
    yield f'<text x="{left:.0f}" y="{top:.0f}" fill="#1a1a1a"{weight}>{words}</text>'


def main() -> int:
    """0 when the picture is current, or was drawn."""
    drawn = draw_scenarios()
    if sys.argv[1:] == ["--check"]:
        current = PICTURE.exists() and PICTURE.read_text() == drawn
        print("" if current else "docs/scaling.svg: run python -m scripts.lib.kube.scaling", end="\n" * (not current))
        return 0 if current else 1
    PICTURE.write_text(drawn)
    return 0


if __name__ == "__main__":
    sys.exit(main())
