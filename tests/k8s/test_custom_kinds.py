"""Kinds of other projects are held against their definitions: a mistake in each of them is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scripts.lib.kube.custom_kinds import is_custom, make_strict
from scripts.lib.kube.objects import Overlay
from scripts.lib.kube.validation import build_variant, check_schemas
from scripts.lib.servers.process import Needs

ROOT = Path(__file__).resolve().parents[2]
MISTAKES = {
    "Certificate edge-rpc": ("mtls/certificates.yaml", "server auth", "server authentication"),
    "Issuer rookery-begin": ("mtls/authority.yaml", "selfSigned: {}", "selfsigned: {}"),
    "ScaledObject worker-persistence": ("keda/workers.yaml", 'lagThreshold: "500"', "lagThreshold: 500"),
    "HTTPRoute rookery": ("gateway-api/route.yaml", "type: PathPrefix", "type: Prefix"),
    "PodMonitor rookery": ("monitoring/pod-monitor.yaml", "interval: 15s", "interval: 15 seconds"),
    "PrometheusRule rookery": ("monitoring/prometheus-rule.yaml", "- record:", "- recorded:"),
}


def check_custom_kinds(folder: Path) -> list[str]:
    try:
        custom = [each for each in build_variant(folder).objects if is_custom(each)]
        return [str(fault) for fault in check_schemas(Overlay("custom", custom))]
    except Needs as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_a_mistake_in_each_kind_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "k8s"
    shutil.copytree(ROOT / "k8s", folder)
    assert check_custom_kinds(folder) == []
    for name, right, wrong in MISTAKES.values():
        manifest = folder / "components" / name
        text = manifest.read_text()
        assert right in text
        manifest.write_text(text.replace(right, wrong))
    faults = check_custom_kinds(folder)
    assert [where for where in MISTAKES if not any(f"{where}: kubeconform" in fault for fault in faults)] == []


def test_a_definition_s_schema_refuses_unknown_fields_where_the_definition_does() -> None:
    closed = {"type": "object", "properties": {"port": {"x-kubernetes-int-or-string": True}}}
    open_ended = {**closed, "x-kubernetes-preserve-unknown-fields": True}
    labels = {"type": "object", "additionalProperties": {"type": "string", "nullable": True}}
    made = make_strict({"type": "object", "properties": {"a": closed, "b": open_ended, "labels": labels}})
    assert made["additionalProperties"] is False
    assert made["properties"]["a"]["additionalProperties"] is False
    assert made["properties"]["a"]["properties"]["port"]["type"] == ["integer", "string"]
    assert "additionalProperties" not in made["properties"]["b"]
    assert made["properties"]["labels"]["additionalProperties"]["type"] == ["string", "null"]
