"""What Prometheus reads from a process, and what `docs/observability.md` says about it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

_PAGE = Path(__file__).resolve().parents[2] / "docs/observability.md"
_ROW = re.compile(r"^\| `(?P<name>[a-z_]+)(?:\{(?P<labels>[a-z_,]+)\})?` \| (?P<kind>gauge|counter|histogram) \|")
_UNITS = ("_total", "_seconds", "_bytes", "_records", "_info")
MOST_VALUES = {"route": 150, "method": 40, "code": 40, "status": 40}
"""Label → so many values at most; 20 of every other."""


def documented_metrics() -> dict[str, tuple[str, frozenset[str]]]:
    """Name → kind and labels, as the page has them."""
    found = (_ROW.match(line) for line in _PAGE.read_text().splitlines())
    rows = [row for row in found if row]
    metrics = {row["name"]: (row["kind"], frozenset((row["labels"] or "").split(",")) - {""}) for row in rows}
    assert len(metrics) == len(rows), "a metric stands there twice"
    return metrics


def scraped_metrics(text: str) -> dict[str, Metric]:
    """Name, with `_total` if it is a counter → the metric, of the answer of `/metrics`."""
    families = text_string_to_metric_families(text)
    return {f"{each.name}_total" if each.type == "counter" else each.name: each for each in families}


def find_faults(metrics: Mapping[str, Metric]) -> list[str]:
    """What does not keep the rules of names, labels and the page."""
    known = documented_metrics()
    faults = []
    for name, metric in metrics.items():
        kind, labels = known.get(name, ("", frozenset()))
        if not re.fullmatch(r"(rookery|process)_[a-z]+(_[a-z]+)*", name):
            faults.append(f"{name}: begins with rookery_ or process_, and has words in lower case")
        if metric.type != kind:
            faults.append(f"{name}: is a {metric.type}, and docs/observability.md says {kind or 'nothing'}")
        if metric.type == "histogram" and not name.endswith(_UNITS):
            faults.append(f"{name}: ends with its unit")
        if not metric.documentation:
            faults.append(f"{name}: has no help")
        faults += [f"{name}: {fault}" for fault in _find_label_faults(metric, labels)]
    return faults


def _find_label_faults(metric: Metric, labels: Iterable[str]) -> list[str]:
    values: dict[str, set[str]] = defaultdict(set)
    for sample in metric.samples:
        for label, value in sample.labels.items():
            values[label].add(value)
    values.pop("le", None)
    faults = [f"has the label {label}, which the page does not name" for label in values.keys() - set(labels)]
    return faults + [
        f"{label} has {len(found)} values" for label, found in values.items() if len(found) > MOST_VALUES.get(label, 20)
    ]
