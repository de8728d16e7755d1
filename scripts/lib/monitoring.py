"""Makes what k8s/components/monitoring holds; with --check, says what is not current, and writes nothing.

The PrometheusRule is made from ops/prometheus/rules.yml, the dashboards from scripts/lib/panels.py.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from scripts.lib.dashboards import make_dashboard
from scripts.lib.panels import BOARDS

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "ops/prometheus/rules.yml"
FOLDER = ROOT / "k8s/components/monitoring"
_HEAD = "# Made by scripts/lib/monitoring.py from ops/prometheus/rules.yml: change that, and run scripts/lint --fix.\n"


def main() -> int:
    """0 when all files are current, or were written."""
    files = make_files()
    if sys.argv[1:] == ["--check"]:
        stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
        print("".join(f"{path.relative_to(ROOT)}: run scripts/lint --fix\n" for path in stale), end="")
        return 1 if stale else 0
    for path, text in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return 0


def make_files() -> dict[Path, str]:
    """Every file that is made, and what stands in it."""
    rules = make_rule(yaml.safe_load(SOURCE.read_text()))
    boards = {FOLDER / "dashboards" / f"{board.name}.json": make_dashboard(board) for board in BOARDS}
    return {FOLDER / "prometheus-rule.yaml": rules, **boards}


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
