"""Makes the PrometheusRule of k8s/components/monitoring from ops/prometheus/rules.yml; with --check, compares only."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "ops/prometheus/rules.yml"
MADE = ROOT / "k8s/components/monitoring/prometheus-rule.yaml"
_HEAD = "# Made by scripts/lib/monitoring.py from ops/prometheus/rules.yml: change that, and run scripts/lint --fix.\n"


def main() -> int:
    """0 when the file is current, or was written."""
    text = make_rule(yaml.safe_load(SOURCE.read_text()))
    if sys.argv[1:] != ["--check"]:
        MADE.write_text(text)
        return 0
    if not MADE.exists() or MADE.read_text() != text:
        print(f"{MADE.relative_to(ROOT)}: run scripts/lint --fix")
        return 1
    return 0


def make_rule(rules: dict[str, Any]) -> str:
    """The resource of the Prometheus operator that holds these rules."""
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "rookery"},
        "spec": rules,
    }
    return _HEAD + yaml.safe_dump(resource, sort_keys=False, width=110)


if __name__ == "__main__":
    sys.exit(main())
