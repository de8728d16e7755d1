"""scripts/k8s-check passes on the manifests as they are, and finds each of these mistakes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scripts.lib.kube.__main__ import check_rules
from scripts.lib.kube.network_rules import list_opened
from scripts.lib.kube.validation import CannotBuild, build_overlay, build_variant, check_schemas, list_overlays
from scripts.lib.servers.process import Needs

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
FROM_THE_SECRET = """valueFrom:
                secretKeyRef:
                  name: rookery-secrets
                  key: rpc-token
"""
MISTAKES = {
    "a Service that selects nothing": (
        "base/roles/edge.yaml",
        "  selector:\n    app.kubernetes.io/name: edge\n",
        "  selector:\n    app.kubernetes.io/name: edges\n",
        "Service edge: its selector matches no pod",
    ),
    "a setting that does not exist": (
        "base/roles/settings.env",
        "ROOKERY_MAX_CONNECTIONS",
        "ROOKERY_MAXIMUM_CONNECTIONS",
        "ROOKERY_MAXIMUM_CONNECTIONS is not a setting",
    ),
    "a setting with a value that cannot be read": (
        "base/roles/settings.env",
        "ROOKERY_MODERATION=on",
        "ROOKERY_MODERATION=yes please",
        "ROOKERY_MODERATION='yes please'",
    ),
    "a liveness probe that asks the engines": (
        "base/roles/every-role.yaml",
        "livenessProbe:\n            httpGet:\n              path: /healthz",
        "livenessProbe:\n            httpGet:\n              path: /readyz",
        "livenessProbe asks /readyz: ask /healthz",
    ),
    "a probe of a path that is not served": (
        "base/roles/every-role.yaml",
        "path: /readyz",
        "path: /ready",
        "readinessProbe asks /ready, which Rookery does not serve",
    ),
    "less time to end than a drain takes": (
        "base/roles/edge.yaml",
        "terminationGracePeriodSeconds: 90",
        "terminationGracePeriodSeconds: 60",
        "terminationGracePeriodSeconds is 60, and preStop (10), ROOKERY_DRAIN_SECONDS (60)",
    ),
    "a secret in a manifest": (
        "base/roles/edge.yaml",
        FROM_THE_SECRET,
        "value: a-secret\n",
        "Deployment edge: ROOKERY_RPC_TOKEN holds a secret",
    ),
    "an image without a version": (
        "base/kafka-broker/kustomization.yaml",
        "newTag: 4.1.0",
        "newTag: latest",
        "the image apache/kafka:latest is not pinned",
    ),
    "a call that no policy allows on the caller's side": (
        "components/network-policies-engines/engines.yaml",
        "          - auth-service\n          - chat-service\n          - edge\n",
        "          - auth-service\n          - chat-service\n",
        "edge: may not call kafka-broker at 9092: its egress rule is missing",
    ),
    "a call that the other side does not let in": (
        "components/network-policies/roles.yaml",
        "        - podSelector:\n            matchLabels:\n              app.kubernetes.io/name: worker-persistence\n",
        "",
        "worker-persistence: is not let in by moderation-service's policy at 9000",
    ),
    "an allowance that nobody needs": (
        "components/network-policies-engines/engines.yaml",
        "              app.kubernetes.io/name: mongodb\n      ports:\n        - port: 27017\n",
        "              app.kubernetes.io/name: mongodb\n      ports:\n        - port: 27017\n        - port: 28017\n",
        "edge: may call mongodb at 28017 (egress), and never does",
    ),
    "a container that runs as root": (
        "base/roles/every-role.yaml",
        "runAsNonRoot: true\n        runAsUser: 10001",
        "runAsNonRoot: false\n        runAsUser: 0",
        "runs as root",
    ),
    "a root that can be written": (
        "base/redis/redis.yaml",
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
        "redis can write its root",
    ),
    "an autoscaler of a metric that nobody exports": (
        "components/hpa/edge.yaml",
        "name: rookery_edge_sessions",
        "name: rookery_edge_sockets",
        "the edge has no metric rookery_edge_sockets",
    ),
    "an autoscaler beside a number of replicas": (
        "components/hpa/kustomization.yaml",
        "name: edge|auth-service",
        "name: auth-service",
        "the Deployment edge sets replicas",
    ),
    "more workers than partitions": (
        "components/keda/workers.yaml",
        "maxReplicaCount: 12",
        "maxReplicaCount: 20",
        "wants up to 20 pods, and a topic has 12 partitions",
    ),
    "the lag of a group that there is not": (
        "components/keda/workers.yaml",
        "consumerGroup: persistence",
        "consumerGroup: persistance",
        "asks for the lag of persistance in room-messages, which worker-persistence does not read",
    ),
    "the lag of a topic that another worker reads": (
        "components/keda/workers.yaml",
        "topic: account-mails",
        "topic: room-messages",
        "does not ask for the lag of account-mails in account-mails, which worker-notification reads",
    ),
    "a key that the Secret does not have": (
        "base/roles/every-role.yaml",
        "key: redis-url",
        "key: redis-uri",
        "Deployment edge: the Secret rookery-secrets has no key redis-uri",
    ),
    "a key that the Secret of dev does not have": (
        "overlays/dev/secrets.env",
        "rpc-token=",
        "rpc-tokens=",
        "has no key rpc-token",
    ),
    "more copies than brokers": (
        "overlays/dev/settings.env",
        "ROOKERY_KAFKA_REPLICATION=1\n",
        "",
        "ROOKERY_KAFKA_REPLICATION is 3, and there are 1 brokers",
    ),
    "a role that does not exist": (
        "base/roles/worker-notification.yaml",
        "args: [worker, notification]",
        "args: [worker, notifications]",
        "`rookery worker notifications` is no command",
    ),
    "an address that leads nowhere": (
        "base/roles/edge.yaml",
        "value: auth-rpc:9000",
        "value: auth-rpc:9001",
        "calls auth-rpc:9001, and no Service auth-rpc has this port",
    ),
    "metrics for strangers": (
        "components/ingress/ingress.yaml",
        "          - path: /metrics\n            pathType: Prefix\n            backend: *nobody\n",
        "",
        "strangers reach /metrics",
    ),
    "a proxy that cuts silent clients": (
        "components/ingress/ingress.yaml",
        'proxy-read-timeout: "120"',
        'proxy-read-timeout: "45"',
        "proxy-read-timeout is 45: a client may be silent for 50 s",
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "k8s"
    shutil.copytree(ROOT / "k8s", copied)
    return copied


def find_faults(folder: Path, *names: str) -> list[str]:
    chosen = [path for path in list_overlays(folder) if path.name in names or not names]
    try:
        return [str(fault) for path in chosen for fault in check_rules(build_overlay(path))]
    except Needs as error:
        pytest.skip(str(error))


def test_the_manifests_keep_every_rule() -> None:
    assert [path.name for path in list_overlays(ROOT / "k8s")] == ["dev", "managed", "production"]
    assert find_faults(ROOT / "k8s") == []


def test_the_components_that_no_overlay_uses_keep_them_too(folder: Path) -> None:
    try:
        overlay = build_variant(folder)
    except Needs as error:
        pytest.skip(str(error))
    assert overlay.select("HTTPRoute")
    assert [str(fault) for fault in check_rules(overlay)] == []


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=list(MISTAKES))
def test_each_mistake_is_found(folder: Path, mistake: tuple[str, str, str, str]) -> None:
    name, right, wrong, fault = mistake
    manifest = folder / name
    text = manifest.read_text()
    assert right in text
    manifest.write_text(text.replace(right, wrong))
    faults = find_faults(folder, "dev" if name.startswith("overlays/dev") or "RPC_TOKEN" in fault else "production")
    assert [each for each in faults if fault in each], faults


def test_what_kustomize_refuses_is_said_with_its_reason(folder: Path) -> None:
    (folder / "overlays/dev/kustomization.yaml").write_text("resources: [nowhere.yaml]\n")
    with pytest.raises(CannotBuild, match="nowhere"):
        find_faults(folder)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("replicas: 1\n", 'replicas: "one"\n'), ("revisionHistoryLimit", "revisionHistoryLimits")],
    ids=["a wrong type", "an unknown field"],
)
def test_both_validators_refuse_what_kubernetes_does(folder: Path, right: str, wrong: str) -> None:
    manifest = folder / "base/roles" / ("edge.yaml" if "replicas" in right else "every-role.yaml")
    manifest.write_text(manifest.read_text().replace(right, wrong))
    try:
        faults = [str(fault) for fault in check_schemas(build_overlay(folder / "overlays/dev"))]
    except Needs as error:
        pytest.skip(str(error))
    assert [each for each in faults if "kubernetes-validate" in each and "Deployment" in each], faults
    assert [each for each in faults if "kubeconform" in each and "edge" in each], faults


def test_what_a_role_calls_is_read_from_its_code() -> None:
    assert list_opened("run_auth") == ["open_later_log", "open_live", "open_store"]
    assert list_opened("run_edge") == ["open_live", "open_log", "open_store"]
    with pytest.raises(LookupError, match="run_nothing"):
        list_opened("run_nothing")
