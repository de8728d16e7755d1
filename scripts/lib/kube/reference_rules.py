"""What an object names must exist: selectors, ports, settings, secrets, targets; and numbers that hang together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chat.settings import SettingsError
from chat.wire.account_mails import ACCOUNT_MAIL_TOPIC
from chat.wire.notices import NOTIFICATION_TOPIC
from chat.wire.verdicts import VERDICT_TOPIC
from chat.wire.webhooks import WEBHOOK_TOPIC
from rookery.cli.pools import MESSAGE_TOPICS
from scripts.lib.kube.objects import Fault, Object, Overlay, Pod, find_by_selector
from scripts.lib.kube.pod_rules import is_ours, read_container_settings
from workers import account_mails, moderation, notification, verdicts, webhooks

ROOT = Path(__file__).resolve().parents[3]
FROM_OUTSIDE = {
    "rookery-secrets": {
        *("redis-url", "redis-password", "mongo-url", "mongo-password", "mongo-key", "kafka-password"),
        *("smtp-url", "vapid-keys", "webhook-secret"),
    },
    "rookery-public-tls": {"tls.crt", "tls.key"},
    "rookery-load-accounts": {"tokens", "rooms"},
}
"""Secrets that the operator makes, with their keys (docs/kubernetes.md)."""
READ_BY = {
    "worker-persistence": {
        *(("persistence", topic) for topic in MESSAGE_TOPICS),
        (verdicts.GROUP, VERDICT_TOPIC),
    },
    "worker-moderation": {(moderation.GROUP, topic) for topic in MESSAGE_TOPICS},
    "worker-notification": {
        (notification.GROUP, NOTIFICATION_TOPIC),
        (account_mails.GROUP, ACCOUNT_MAIL_TOPIC),
        (webhooks.GROUP, WEBHOOK_TOPIC),
    },
}
"""The consumer groups of each worker's pools, and the topics that they read (rookery/cli/roles/worker.py)."""
OF_CERTIFICATES = {"tls.crt", "tls.key", "ca.crt"}


def check_references(overlay: Overlay) -> Iterator[Fault]:
    """Every fault of what one object says of another."""
    checks = (_check_selectors, _check_services, _check_mounts, _check_autoscalers, _check_budgets, _check_sizes)
    for check in checks:
        for where, text in check(overlay):
            yield Fault(overlay.name, where, text)
    if overlay.name != "dev":
        for secret in overlay.select("Secret"):
            yield Fault(overlay.name, _name(secret), "a Secret with its content stands in the repository: only dev may")


def _name(thing: Object) -> str:
    return f"{thing['kind']} {thing['metadata']['name']}"


def _check_selectors(overlay: Overlay) -> Iterator[tuple[str, str]]:
    for pod in overlay.pods:
        wanted = pod.workload["spec"].get("selector", {}).get("matchLabels", {})
        if not wanted.items() <= pod.labels.items():
            yield pod.where, "its selector does not match its own pods"
    for thing in [*overlay.select("PodDisruptionBudget"), *overlay.select("NetworkPolicy")]:
        for selector in _list_selectors(thing):
            if not find_by_selector(selector, overlay.pods):
                yield _name(thing), f"no pod matches the selector {dict(selector)}"


def _list_selectors(thing: Object) -> Iterator[Object]:
    spec = thing["spec"]
    if "selector" in spec:
        yield spec["selector"]
    if "podSelector" in spec:
        yield spec["podSelector"]
    for way, peers in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(way, []):
            yield from (
                peer["podSelector"]
                for peer in rule.get(peers, [])
                if "podSelector" in peer and "namespaceSelector" not in peer
            )


def _check_services(overlay: Overlay) -> Iterator[tuple[str, str]]:
    for service in overlay.select("Service"):
        selector = service["spec"].get("selector")
        if selector is None:
            continue  # `nobody`
        pods = overlay.match_pods(selector)
        if not pods:
            yield _name(service), f"its selector matches no pod: {selector}"
        for port in service["spec"]["ports"]:
            wanted = port.get("targetPort", port["port"])
            if pods and any(pod.find_port(wanted) is None for pod in pods):
                yield _name(service), f"no container has the port {wanted}"
    for where, name, port in _list_backends(overlay):
        found = overlay.find("Service", name)
        ports = found["spec"]["ports"] if found else []
        if not any(port in (each.get("name"), each["port"]) for each in ports):
            yield where, f"there is no Service {name} with the port {port}"


def _list_backends(overlay: Overlay) -> Iterator[tuple[str, str, Any]]:
    for ingress in overlay.select("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                yield _name(ingress), service["name"], service["port"].get("name") or service["port"]["number"]
    for route in overlay.select("HTTPRoute"):
        for rule in route["spec"]["rules"]:
            yield from ((_name(route), each["name"], each["port"]) for each in rule.get("backendRefs", []))


def _check_mounts(overlay: Overlay) -> Iterator[tuple[str, str]]:
    for pod in overlay.pods:
        volumes = {volume["name"] for volume in pod.spec.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in pod.workload["spec"].get("volumeClaimTemplates", [])}
        for container in pod.containers:
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    yield pod.where, f"{container['name']} mounts {mount['name']}, which is no volume"
        if not overlay.find("ServiceAccount", pod.spec.get("serviceAccountName", "")):
            yield pod.where, f"there is no ServiceAccount {pod.spec.get('serviceAccountName')}"
        for kind, name in _list_sources(pod):
            if kind == "ConfigMap" and not overlay.find(kind, name):
                yield pod.where, f"there is no ConfigMap {name}"
            if kind == "Secret" and name not in _list_secrets(overlay):
                yield pod.where, f"nothing makes the Secret {name}"
        for name, key in _list_keys(pod):
            keys = _list_secrets(overlay).get(name)
            if keys is not None and key not in keys:
                yield pod.where, f"the Secret {name} has no key {key}"


def _list_secrets(overlay: Overlay) -> dict[str, set[str]]:
    """The keys of each Secret. One that stands in the manifests has no others, whatever an operator could add."""
    certificates = {each["spec"]["secretName"]: OF_CERTIFICATES for each in overlay.select("Certificate")}
    made = {
        each["metadata"]["name"]: {*each.get("data", {}), *each.get("stringData", {})}
        for each in overlay.select("Secret")
    }
    return FROM_OUTSIDE | certificates | made


def _list_keys(pod: Pod) -> Iterator[tuple[str, str]]:
    """Each Secret and its key that a variable of the pod is read from, unless the key may be missing."""
    for container in pod.containers:
        for variable in container.get("env", []):
            secret = variable.get("valueFrom", {}).get("secretKeyRef")
            if secret and not secret.get("optional"):
                yield secret["name"], secret["key"]


def _list_sources(pod: Pod) -> Iterator[tuple[str, str]]:
    """The kind and name of each ConfigMap and Secret that the pod takes something from."""
    for volume in pod.spec.get("volumes", []):
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
    for container in pod.containers:
        for source in container.get("envFrom", []):
            yield from (("ConfigMap", source["configMapRef"]["name"]),) if "configMapRef" in source else ()
        for variable in container.get("env", []):
            secret = variable.get("valueFrom", {}).get("secretKeyRef")
            if secret:
                yield "Secret", secret["name"]


def _check_autoscalers(overlay: Overlay) -> Iterator[tuple[str, str]]:
    scaled: set[str] = set()
    for scaler in [*overlay.select("HorizontalPodAutoscaler"), *overlay.select("ScaledObject")]:
        spec = scaler["spec"]
        name = spec["scaleTargetRef"]["name"]
        target = overlay.find("Deployment", name)
        if target is None:
            yield _name(scaler), f"there is no Deployment {name}"
        elif "replicas" in target["spec"]:
            yield _name(scaler), f"the Deployment {name} sets replicas, so each kubectl apply undoes the scaling"
        if name in scaled:
            yield _name(scaler), f"another autoscaler scales {name}, too"
        scaled.add(name)
        least = spec.get("minReplicas", spec.get("minReplicaCount", 1))
        most = spec.get("maxReplicas", spec.get("maxReplicaCount", 100))
        if least > most:
            yield _name(scaler), f"wants at least {least} and at most {most} pods"
        yield from ((_name(scaler), text) for text in [*_check_metrics(overlay, spec), *_check_lag(spec)])
        if name.startswith("worker-") and (partitions := _read_partitions(overlay)) < most:
            yield _name(scaler), f"wants up to {most} pods, and a topic has {partitions} partitions"


def _check_metrics(overlay: Overlay, spec: Object) -> Iterator[str]:
    for metric in spec.get("metrics", []):
        if metric["type"] == "Pods":
            name = metric["pods"]["metric"]["name"]
            if name not in list_edge_metrics():
                yield f"the edge has no metric {name}"
            most = min((settings.edge.max_connections for settings in _list_settings(overlay)), default=0)
            if int(metric["pods"]["target"]["averageValue"]) > most / 2:
                yield f"a pod takes {most} connections, so aim at no more than half of them"
    for trigger in spec.get("triggers", []):
        for name in re.findall(r"rookery_\w+", trigger["metadata"].get("query", "")):
            if name not in list_edge_metrics():
                yield f"the edge has no metric {name}"


def _check_lag(spec: Object) -> Iterator[str]:
    """KEDA asks for the lag of all that the worker reads, and of nothing else: a wrong name is never behind."""
    worker = spec["scaleTargetRef"]["name"]
    triggers = [trigger["metadata"] for trigger in spec.get("triggers", []) if trigger["type"] == "kafka"]
    if not triggers:
        return
    read = READ_BY.get(worker, set())
    asked = {(each["consumerGroup"], each["topic"]) for each in triggers}
    for group, topic in sorted(asked - read):
        yield f"asks for the lag of {group} in {topic}, which {worker} does not read"
    for group, topic in sorted(read - asked):
        yield f"does not ask for the lag of {group} in {topic}, which {worker} reads"


def list_edge_metrics() -> set[str]:
    """The gauges that the edge exports."""
    return set(re.findall(r'GaugeMetricFamily\(\s*"(rookery_\w+)"', (ROOT / "gateway/metrics.py").read_text()))


def _list_settings(overlay: Overlay) -> Iterator[Any]:
    for pod in overlay.pods:
        for container in pod.containers:
            if is_ours(container):
                try:
                    yield read_container_settings(overlay, container)
                except SettingsError:
                    continue  # said by the rules of pods


def _read_partitions(overlay: Overlay) -> int:
    return min((settings.kafka.partitions for settings in _list_settings(overlay)), default=1)


def _check_budgets(overlay: Overlay) -> Iterator[tuple[str, str]]:
    budgets = overlay.select("PodDisruptionBudget")
    if not budgets:
        return
    covered = [pod.name for budget in budgets for pod in find_by_selector(budget["spec"]["selector"], overlay.pods)]
    for pod in overlay.pods:
        if pod.kind != "Job" and pod.name not in covered:
            yield pod.where, "has no PodDisruptionBudget"
        if covered.count(pod.name) > 1:
            yield pod.where, "has two PodDisruptionBudgets, and can never be evicted"


def _check_sizes(overlay: Overlay) -> Iterator[tuple[str, str]]:
    """The servers in the cluster: as many as others count on."""
    sizes = {pod.name: pod.workload["spec"].get("replicas", 1) for pod in overlay.pods if pod.kind == "StatefulSet"}
    brokers = sizes.get("kafka-broker", 0)
    for pod in overlay.pods:
        for container in pod.containers:
            env = overlay.read_env(container)
            if pod.name == "kafka-broker" and env["NODES"] != str(brokers):
                yield pod.where, f"NODES is {env['NODES']}, and there are {brokers}"
            if pod.name == "mongodb-initiate" and env["MEMBERS"] != str(sizes["mongodb"]):
                yield pod.where, f"MEMBERS is {env['MEMBERS']}, and there are {sizes['mongodb']}"
            sentinels = sizes.get("redis-sentinel", 0)
            if pod.name == "redis-sentinel" and sentinels and int(env["QUORUM"] or 0) != sentinels // 2 + 1:
                yield pod.where, f"QUORUM is {env['QUORUM']}: {sentinels // 2 + 1} of {sentinels} are a majority"
    for settings in _list_settings(overlay) if brokers else ():
        kafka = settings.kafka
        if kafka.replication > brokers:
            yield (
                "rookery-settings",
                f"ROOKERY_KAFKA_REPLICATION is {kafka.replication}, and there are {brokers} brokers",
            )
        if brokers > 1 and not 1 < kafka.min_insync < kafka.replication:
            yield "rookery-settings", "ROOKERY_KAFKA_MIN_INSYNC must be above 1 and below ROOKERY_KAFKA_REPLICATION"
        return
