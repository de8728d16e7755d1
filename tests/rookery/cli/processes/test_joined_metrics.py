"""The metrics of several processes on one page."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from rookery.cli.processes.joined_metrics import PlacesCollector, join_metrics
from rookery.cli.processes.supervisor import ProcessPlace


def make_page(count: int, seconds: float) -> str:
    registry = CollectorRegistry()
    commands = Counter("rookery_commands", "Commands, by kind", ["kind"], registry=registry)
    commands.labels(kind='"quoted"').inc(count)
    Histogram("rookery_lag_seconds", "Lag", registry=registry, buckets=(1, 2)).observe(seconds)
    return generate_latest(registry).decode()


def test_each_sample_says_its_process_and_each_metric_stands_there_once() -> None:
    text = join_metrics(
        {"0": make_page(3, 0.5), "1": make_page(4, 1.5)}, [PlacesCollector([ProcessPlace(0, None)])]
    ).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert text.count("# TYPE rookery_commands_total counter") == 1
    totals = {s.labels["process"]: s.value for s in families["rookery_commands"].samples if s.name.endswith("_total")}
    assert totals == {"0": 3, "1": 4}
    assert {s.labels["kind"] for s in families["rookery_commands"].samples} == {'"quoted"'}
    buckets = [s for s in families["rookery_lag_seconds"].samples if s.name.endswith("_bucket")]
    low = {s.labels["process"]: s.value for s in buckets if s.labels["le"] == "1.0"}
    assert low == {"0": 1, "1": 0}
    waiting = {s.labels["state"]: s.value for s in families["rookery_edge_processes"].samples}
    assert waiting == {"starting": 0, "ready": 0, "waiting": 1}


def test_a_page_may_be_missing() -> None:
    assert join_metrics({}, []) == b""
