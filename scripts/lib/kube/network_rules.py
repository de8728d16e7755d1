"""Who calls whom, read from the code and the settings, against what the NetworkPolicies allow: neither more nor less.

Rule 1: a role calls the engines that its function in rookery/cli/roles opens, and the roles whose address it has.
Rule 2: an address that a setting names is that of a Service which has the port.
Rule 3: where policies deny by default, each call is allowed on both sides, and nothing else is, among our own pods.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

from chat.settings import Address, SettingsError
from scripts.lib.kube.objects import Fault, Object, Overlay, Pod, find_by_selector
from scripts.lib.kube.pod_rules import is_ours, parse_command, read_container_settings

ROOT = Path(__file__).resolve().parents[3]
Call = tuple[str, str, int]
"""The caller, the called, and the port."""

OPENS = {
    "open_log": [("kafka-broker", 9092)],
    "open_later_log": [("kafka-broker", 9092)],
    "open_live": [("redis", 6379), ("redis-sentinel", 26379)],
    "open_store": [("mongodb", 27017)],
}
TOOLS = {"apply_topics": ["open_log"], "migrate_database": ["open_store"]}
"""What the commands of Jobs open, which do it in their own way."""
AMONG_ENGINES = {
    ("kafka-broker", "kafka-broker", 9092),
    ("kafka-broker", "kafka-broker", 9093),
    ("redis", "redis", 6379),
    ("redis", "redis-sentinel", 26379),
    ("redis-sentinel", "redis", 6379),
    ("redis-sentinel", "redis-sentinel", 26379),
    ("mongodb", "mongodb", 27017),
    ("mongodb-initiate", "mongodb", 27017),
}
AMONG_LOAD = {("load-worker", "load-master", 5557)}
"""What the load test calls within the cluster; it reaches Rookery by the public address."""


def check_network(overlay: Overlay) -> Iterator[Fault]:
    """Every call that is not allowed, every allowance that nobody uses, every address that leads nowhere."""
    yield from _check_addresses(overlay)
    names = {pod.name for pod in overlay.pods}
    calls = {call for call in _list_calls(overlay) | AMONG_ENGINES | AMONG_LOAD if {call[0], call[1]} <= names}
    policies = overlay.select("NetworkPolicy")
    if not policies:
        return
    if not any(_denies_all(policy) for policy in policies):
        yield Fault(overlay.name, "NetworkPolicy", "none denies everything by default")
    for way, says in (("egress", "may not call"), ("ingress", "is not let in by")):
        allowed = _list_allowed(overlay, way)
        for caller, called, port in sorted(calls - allowed):
            first, second = (caller, called) if way == "egress" else (caller, f"{called}'s policy")
            yield Fault(overlay.name, first, f"{says} {second} at {port}: its {way} rule is missing")
        for caller, called, port in sorted(allowed - calls):
            yield Fault(overlay.name, caller, f"may call {called} at {port} ({way}), and never does")
    yield from _check_way_in(overlay)


def _check_addresses(overlay: Overlay) -> Iterator[Fault]:
    """Rule 2. Names with dots that are no pod of a Service are outside."""
    for pod in overlay.pods:
        for address in _list_addresses(overlay, pod):
            name = address.host.rpartition(".")[2] if address.host.count(".") == 1 else address.host
            if "." in name or address.is_loopback:
                continue
            service = overlay.find("Service", name)
            ports = [port["port"] for port in service["spec"]["ports"]] if service else []
            if address.port not in ports:
                yield Fault(overlay.name, pod.where, f"calls {address}, and no Service {name} has this port")


def _list_addresses(overlay: Overlay, pod: Pod) -> Iterator[Address]:
    for container in pod.containers:
        if is_ours(container):
            try:
                settings = read_container_settings(overlay, container)
            except SettingsError:
                continue  # said by the rules of pods
            yield from settings.kafka.brokers
            yield from (each for each in (settings.rpc.auth, settings.rpc.chat, settings.rpc.moderation) if each)


def _list_calls(overlay: Overlay) -> set[Call]:
    """Rule 1."""
    found: set[Call] = set()
    for pod in overlay.pods:
        for container in pod.containers:
            if not is_ours(container):
                continue
            try:
                function = parse_command(container).run.partition(":")[2]
                rpc = read_container_settings(overlay, container).rpc
            except (SystemExit, SettingsError):
                continue  # said by the rules of pods
            for opened in TOOLS.get(function) or list_opened(function):
                found |= {(pod.name, called, port) for called, port in OPENS[opened]}
            for address in (rpc.auth, rpc.chat, rpc.moderation):
                if address is not None:
                    found |= {(pod.name, each, address.port) for each in _list_served(overlay, address.host)}
    return found


def _list_served(overlay: Overlay, service: str) -> list[str]:
    found = overlay.find("Service", service)
    return [pod.name for pod in overlay.match_pods(found["spec"]["selector"])] if found else []


@cache
def list_opened(function: str) -> list[str]:
    """The engines that a role's function in rookery/cli/roles opens. Raises `LookupError` if there is none."""
    modules = sorted((ROOT / "rookery/cli/roles").glob("*.py"))
    for node in chain.from_iterable(ast.parse(module.read_text()).body for module in modules):
        if isinstance(node, ast.AsyncFunctionDef) and node.name == function:
            named = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            named |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            return sorted(named & OPENS.keys())
    raise LookupError(f"rookery/cli/roles has no function {function}")


def _denies_all(policy: Object) -> bool:
    spec = policy["spec"]
    both = set(spec.get("policyTypes", ())) == {"Ingress", "Egress"}
    return both and spec["podSelector"] == {} and not spec.get("ingress") and not spec.get("egress")


def _list_allowed(overlay: Overlay, way: str) -> set[Call]:
    """What the policies allow between pods of the overlay: by `egress` of callers, or by `ingress` of the called."""
    found: set[Call] = set()
    for policy in overlay.select("NetworkPolicy"):
        owners = find_by_selector(policy["spec"]["podSelector"], overlay.pods)
        for rule in policy["spec"].get(way, []):
            for peer in rule.get("from" if way == "ingress" else "to", []):
                if "podSelector" not in peer or "namespaceSelector" in peer:
                    continue
                others = find_by_selector(peer["podSelector"], overlay.pods)
                pairs = [(owner, other) for owner in owners for other in others]
                for owner, other in pairs:
                    caller, called = (owner, other) if way == "egress" else (other, owner)
                    found |= {(caller.name, called.name, port["port"]) for port in rule["ports"]}
    return found


def _check_way_in(overlay: Overlay) -> Iterator[Fault]:
    """The Ingress controller reaches what the Ingress names, Prometheus every role, and KEDA the brokers."""
    wanted = {("network.rookery/monitoring", pod.name, 8000) for pod in overlay.pods if pod.is_role}
    for ingress in overlay.select("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = overlay.find("Service", path["backend"]["service"]["name"])
                for pod in _match_service(overlay, service):
                    port = pod.find_port(path["backend"]["service"]["port"].get("name"))
                    wanted |= {("network.rookery/ingress", pod.name, port)} if port else set()
    if any(pod.name == "kafka-broker" for pod in overlay.pods) and overlay.select("ScaledObject"):
        wanted |= {("network.rookery/scaling", "kafka-broker", 9092)}
    for label, name, port in sorted(wanted - _list_guests(overlay)):
        yield Fault(overlay.name, name, f"does not let in namespaces with the label {label} at {port}")


def _match_service(overlay: Overlay, service: Object | None) -> list[Pod]:
    selector = service["spec"].get("selector") if service else None
    return overlay.match_pods(selector) if selector else []


def _list_guests(overlay: Overlay) -> set[tuple[str, str, int]]:
    found = set()
    for policy in overlay.select("NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            labels = [
                label for peer in rule["from"] for label in peer.get("namespaceSelector", {}).get("matchLabels", {})
            ]
            for pod in find_by_selector(policy["spec"]["podSelector"], overlay.pods):
                found |= {(label, pod.name, port["port"]) for label in labels for port in rule["ports"]}
    return found
