"""The component `monitoring` fits the manifests beside it: what it selects is there, and names are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.support.scraped import documented_metrics

K8S = Path(__file__).resolve().parents[2] / "k8s"
COMPONENT = K8S / "components/monitoring"


def load(*paths: Path) -> list[dict[str, Any]]:
    return [each for path in paths for each in yaml.safe_load_all(path.read_text()) if each]


def test_the_monitor_selects_every_role_and_a_port_that_each_has() -> None:
    (monitor,) = load(COMPONENT / "pod-monitor.yaml")
    wanted = monitor["spec"]["selector"]["matchLabels"]
    resources = load(*(K8S / "base/roles").glob("*.yaml"))
    pairs = next(each["labels"] for each in resources if each["kind"] == "Kustomization")
    common = {key: value for entry in pairs if entry["includeTemplates"] for key, value in entry["pairs"].items()}
    roles = [each for each in resources if each["kind"] == "Deployment"]
    every = next(each for each in roles if each["metadata"]["name"] == "every-role")
    ports = {port["name"] for port in every["spec"]["template"]["spec"]["containers"][0]["ports"]}
    assert {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]} <= ports
    selected = {
        each["metadata"]["name"]
        for each in roles
        if each is not every and wanted.items() <= (each["spec"]["template"]["metadata"]["labels"] | common).items()
    }
    assert selected == {each["metadata"]["name"] for each in roles} - {"every-role"}
    assert {"edge", "auth-service", "chat-service", "moderation-service", "worker-persistence"} <= selected


def test_the_autoscaler_asks_for_the_metric_that_the_adapter_gives() -> None:
    (values,) = load(COMPONENT / "adapter-values.yaml")
    names = {rule["name"]["as"] for rule in values["rules"]["custom"]}
    asked = {
        metric["pods"]["metric"]["name"]
        for resource in load(*(K8S / "components/hpa").glob("*.yaml"))
        for metric in resource.get("spec", {}).get("metrics", ())
        if metric["type"] == "Pods"
    }
    assert asked == names == {"rookery_edge_sessions"}
    assert names <= documented_metrics().keys()


def test_every_file_of_the_component_is_part_of_it() -> None:
    (component,) = load(COMPONENT / "kustomization.yaml")
    named = {*component["resources"], *(name for each in component["configMapGenerator"] for name in each["files"])}
    there = {str(path.relative_to(COMPONENT)) for path in COMPONENT.rglob("*") if path.is_file()}
    assert there - named == {"kustomization.yaml", "adapter-values.yaml"}
    assert named - there == set()
