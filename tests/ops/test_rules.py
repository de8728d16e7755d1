"""The alerts: promtool fires each of them on what it is for, and on nothing else; each has its runbook."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from rookery.cli.parser import make_parser
from scripts.lib.servers.process import Needs
from scripts.lib.servers.prometheus import find_program
from tests.support.scraped import documented_metrics

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "ops/prometheus/rules.yml"
RUNBOOKS = ROOT / "docs/runbooks"
TOOLS = ROOT / "output/servers/tools"


class Case(NamedTuple):
    """Series in promtool's notation, a sample a minute (or every `interval`); at `minute`, the alert fires or not."""

    series: dict[str, str]
    minute: int = 60
    interval: str = "1m"
    severity: str = ""


SENT = "rookery_edge_delivery_seconds_count"
IN_TIME = 'rookery_edge_delivery_seconds_bucket{le="0.5"}'
FAILED = 'rookery_edge_errors_total{code="unavailable"}'
REFUSED = 'rookery_edge_errors_total{code="forbidden"}'
HTTP_FAILED = 'rookery_http_requests_total{status="500",route="/api/rooms"}'
NOT_READY = 'rookery_http_requests_total{status="503",route="/readyz"}'
COMMANDS = "rookery_edge_commands_total"
ENDED = "rookery_edge_handshakes_ended_total"
LAG_ALL = 'rookery_loop_lag_seconds_bucket{instance="a",le="+Inf"}'
CALLS = "rookery_rpc_client_calls_total"

FIRES = {
    "RookeryDeliverySlow": [
        Case({SENT: "0+1000x90", IN_TIME: "0+800x90"}, 90, severity="page"),
        # 4 % for two days: too slow a fire for the page, and the budget is gone in a week
        Case({SENT: "0+1000x600", IN_TIME: "0+960x600"}, 2880, "5m", "ticket"),
    ],
    "RookeryRequestsFail": [
        Case({COMMANDS: "0+1000x90", FAILED: "0+20x90"}, 90, severity="page"),
        Case({COMMANDS: "0+1000x90", HTTP_FAILED: "0+100x90"}, 90, severity="page"),
        Case({COMMANDS: "0+1000x600", FAILED: "0+4x600"}, 2880, "5m", "ticket"),
    ],
    "RookeryMessagesSetAside": [Case({'rookery_worker_dead_total{pool="persistence"}': "0x5 1x3"}, 7, severity="page")],
    "RookeryDeadLetters": [Case({'rookery_worker_dead_total{pool="verdicts"}': "0x5 2x3"}, 7, severity="ticket")],
    "RookeryProcessDown": [Case({'up{job="rookery",instance="a"}': "1 0x10"}, 5, severity="page")],
    "RookeryNoEdge": [Case({'rookery_build_info{role="worker"}': "1x10"}, 5, severity="page")],
    "RookeryProcessRestarts": [
        Case({'process_start_time_seconds{job="rookery",instance="a"}': "1x5 2x5 3x5 4x5"}, 20, severity="ticket")
    ],
    "RookeryWorkersStuck": [
        Case(
            {
                'rookery_worker_lag{pool="persistence"}': "5x30",
                'rookery_worker_handled_total{pool="persistence"}': "7x30",
            },
            20,
            severity="page",
        )
    ],
    "RookeryWorkersBehind": [
        Case({'rookery_worker_oldest_seconds{pool="persistence"}': "45x20"}, 15, severity="ticket"),
        Case({'rookery_worker_lag{pool="persistence"}': "20000x20"}, 15, severity="ticket"),
    ],
    "RookeryWorkersRetry": [Case({'rookery_worker_retried_total{pool="verdicts"}': "0+60x40"}, 30, severity="ticket")],
    "RookeryLogFails": [Case({"rookery_log_failed_total": "0 0 5 9 12 20"}, 5, severity="page")],
    "RookeryLogQueueGrows": [Case({'rookery_log_pending{instance="a"}': "9000x5"}, 4, severity="page")],
    "RookeryLiveDeliveryInterrupted": [Case({"rookery_relay_interruptions_total": "0 2 4 6"}, 3, severity="ticket")],
    "RookeryRelayOverflows": [Case({'rookery_relay_lost_total{instance="a"}': "0 0 9"}, 2, severity="ticket")],
    "RookeryClientsTooSlow": [
        Case({"rookery_edge_too_slow_total": "0+120x40", "rookery_edge_sessions": "1000x40"}, 30, severity="ticket")
    ],
    "RookeryOutboxesLarge": [Case({'rookery_edge_outbox_bytes{instance="a"}': "900000000x20"}, 10, severity="ticket")],
    "RookeryEdgeRefuses": [
        Case(
            {ENDED + '{result="unavailable",instance="a"}': "0+60x20", 'rookery_edge_draining{instance="a"}': "0x20"},
            10,
            severity="page",
        )
    ],
    "RookeryHandshakesFail": [
        Case({ENDED + '{result="origin"}': "0+90x40", ENDED + '{result="accepted"}': "0+60x40"}, 30, severity="ticket")
    ],
    "RookeryLoopLags": [
        Case(
            {
                LAG_ALL: "0+600x30",
                LAG_ALL.replace("+Inf", "0.25"): "0+500x30",
                LAG_ALL.replace("+Inf", "0.5"): "0+600x30",
            },
            20,
            severity="ticket",
        )
    ],
    "RookeryRpcFails": [
        Case(
            {CALLS + '{status="OK",method="m"}': "0+100x30", CALLS + '{status="UNAVAILABLE",method="m"}': "0+10x30"},
            20,
            severity="ticket",
        )
    ],
    "RookeryFilesRunOut": [
        Case(
            {
                'process_open_fds{job="rookery",instance="a"}': "950x9",
                'process_max_fds{job="rookery",instance="a"}': "1000x9",
            },
            5,
            severity="page",
        )
    ],
    "RookeryMemoryGrows": [
        Case({'process_resident_memory_bytes{job="rookery"}': "300000000x288 900000000x30"}, 1560, "5m", "ticket")
    ],
    "RookeryNotificationsLate": [Case({"rookery_notifications_late_seconds": "600x30"}, 20, severity="ticket")],
    "RookeryPushesFail": [
        Case(
            {
                'rookery_push_sent_total{service="a",outcome="later"}': "0+60x60",
                'rookery_push_sent_total{service="a",outcome="delivered"}': "0+10x60",
            },
            50,
            severity="ticket",
        )
    ],
    "RookeryMailsFail": [
        Case(
            {
                'rookery_mails_total{outcome="refused"}': "0+30x60",
                'rookery_mails_total{outcome="sent"}': "0+60x60",
            },
            55,
            severity="ticket",
        )
    ],
    "RookeryLogLinesDropped": [Case({'rookery_stderr_dropped_total{instance="a"}': "0 0 8"}, 2, severity="ticket")],
}

QUIET = {
    "all is well": Case(
        {
            SENT: "0+1000x90",
            IN_TIME: "0+999x90",
            COMMANDS: "0+1000x90",
            FAILED: "0x90",
            REFUSED: "0+500x90",  # what users do wrong is no fault of ours
            NOT_READY: "0+600x90",  # a process that drains
            'rookery_build_info{role="edge"}': "1x90",
            'up{job="rookery"}': "1x90",
            'rookery_worker_lag{pool="persistence"}': "5x90",
            'rookery_worker_handled_total{pool="persistence"}': "0+1000x90",
            'rookery_worker_dead_total{pool="persistence"}': "3x90",  # of yesterday
            'rookery_worker_oldest_seconds{pool="persistence"}': "0.1x90",
            "rookery_log_failed_total": "4x90",
            "rookery_notifications_late_seconds": "20x90",
            'rookery_push_sent_total{service="a",outcome="gone"}': "0+60x90",
            'rookery_push_sent_total{service="a",outcome="later"}': "0+10x90",
            'rookery_mails_total{outcome="refused"}': "0+1x90",
            'rookery_mails_total{outcome="sent"}': "0+60x90",
            'rookery_log_pending{instance="a"}': "100x90",
            "rookery_relay_interruptions_total": "1x90",
            "rookery_edge_too_slow_total": "0+1x90",
            "rookery_edge_sessions": "1000x90",
            ENDED + '{result="accepted",instance="a"}': "0+90x90",
            ENDED + '{result="unavailable",instance="a"}': "0+60x90",
            ENDED + '{result="lost",instance="a"}': "0+10x90",
            'rookery_edge_draining{instance="a"}': "1x90",
            LAG_ALL: "0+600x90",
            LAG_ALL.replace("+Inf", "0.25"): "0+600x90",
            'process_start_time_seconds{job="rookery",instance="a"}': "1x30 2x60",
        },
        75,
    ),
    "nothing happens": Case({'rookery_build_info{role="serve"}': "1x90", COMMANDS: "0x90", SENT: "0x90"}, 60),
}


def alert_rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def make_test(case: Case, alert: str) -> dict[str, Any]:
    """A test of promtool: which alerts fire at that minute. Without `alert`, none may.

    An alert that wakes somebody may come with its ticket; a ticket wakes nobody."""
    chosen = f'alertname="{alert}",' if alert else ""
    chosen += 'severity="page",' if case.severity == "page" else ""
    expected = [{"labels": f'{{alertname="{alert}", severity="{case.severity}"}}', "value": 1}] if alert else []
    query = f'max by (alertname, severity) (ALERTS{{{chosen}alertstate="firing"}})'
    return {
        "interval": case.interval,
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "promql_expr_test": [{"expr": query, "eval_time": f"{case.minute}m", "exp_samples": expected}],
    }


@pytest.fixture(scope="module")
def promtool() -> Path:
    try:
        return find_program(TOOLS, "promtool")
    except Needs as error:
        pytest.skip(str(error).splitlines()[0])


def run_promtool(promtool: Path, folder: Path, case: Case, alert: str) -> subprocess.CompletedProcess[str]:
    path = folder / "test.yml"
    test = {"rule_files": [str(RULES)], "evaluation_interval": case.interval, "tests": [make_test(case, alert)]}
    path.write_text(yaml.safe_dump(test))
    return subprocess.run([promtool, "test", "rules", path], capture_output=True, text=True, check=False)


def test_promtool_accepts_the_rules(promtool: Path) -> None:
    done = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("alert", "case"), [(alert, case) for alert, cases in FIRES.items() for case in cases])
def test_an_alert_fires_on_what_it_is_for(alert: str, case: Case, promtool: Path, tmp_path: Path) -> None:
    done = run_promtool(promtool, tmp_path, case, alert)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", QUIET.values(), ids=QUIET)
def test_no_alert_fires_without_a_reason(case: Case, promtool: Path, tmp_path: Path) -> None:
    done = run_promtool(promtool, tmp_path, case, "")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_and_severity_has_a_case() -> None:
    tested = {(alert, case.severity) for alert, cases in FIRES.items() for case in cases}
    assert {(rule["alert"], rule["labels"]["severity"]) for rule in alert_rules()} == tested


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    alerts = {rule["alert"] for rule in alert_rules()}
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == alerts
    index = (RUNBOOKS / "README.md").read_text()
    for rule in alert_rules():
        assert rule["annotations"]["runbook"] == f"docs/runbooks/{rule['alert']}.md"
        assert f"[{rule['alert']}](" in index
        text = (RUNBOOKS / f"{rule['alert']}.md").read_text()
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["What it means", "Look at", "Do"]


def test_rules_and_runbooks_name_metrics_that_exist() -> None:
    known = {
        name
        for metric in documented_metrics()
        for name in (metric, *(f"{metric}_{end}" for end in ("bucket", "count", "sum")))
    }
    named = defaultdict(set)
    for path in (RULES, *RUNBOOKS.glob("*.md")):
        for name in re.findall(r"(?<![:/\w])(?:rookery|process)_[a-z_]+[a-z]", path.read_text()):
            named[name].add(path.name)
    assert {name: files for name, files in named.items() if name not in known} == {}


def test_the_commands_of_the_runbooks_exist() -> None:
    parser = make_parser()
    found = 0
    for path in RUNBOOKS.glob("*.md"):
        text = path.read_text()
        lines = [line.strip() for line in text.splitlines()] + re.findall(r"`([^`\n]+)`", text)
        for line in lines:
            if line.startswith("rookery ") and not line.endswith("-"):
                parser.parse_args(shlex.split(line)[1:])
                found += 1
    assert found > 5
