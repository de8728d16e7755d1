"""The table of metrics in docs/observability.md: each stands there once, with a name by the rules."""

from __future__ import annotations

import re

from tests.support.scraped import documented_metrics


def test_each_metric_stands_in_the_table_once_and_is_named_by_the_rules() -> None:
    metrics = documented_metrics()
    assert len(metrics) > 50
    for name, (kind, labels) in metrics.items():
        assert re.fullmatch(r"(rookery|process)_[a-z]+(_[a-z]+)*", name)
        assert name.endswith("_total") == (kind == "counter"), name
        assert len(labels) <= 3, name
