"""What the world reaches: paths lead where they should, operators' paths nowhere, and a socket outlives silence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scripts.lib.kube.objects import Fault, Object, Overlay
from services.common import operator_routes

PATHS = {"/ws": "edge", "/api/auth": "auth-service", "/api/moderation": "moderation-service", "/": "chat-service"}
_HEARTBEATS = 2
_HEARTBEAT_SECONDS = 25.0


def check_public(overlay: Overlay) -> Iterator[Fault]:
    """Every fault of an Ingress or an HTTPRoute."""
    for kind, read in (("Ingress", _read_ingress), ("HTTPRoute", _read_route)):
        for thing in overlay.select(kind):
            where = f"{kind} {thing['metadata']['name']}"
            for text in _check_paths(read(thing)):
                yield Fault(overlay.name, where, text)
    for ingress in overlay.select("Ingress"):
        for text in _check_timeouts(ingress):
            yield Fault(overlay.name, f"Ingress {ingress['metadata']['name']}", text)


def _read_ingress(ingress: Object) -> dict[str, str]:
    rules = ingress["spec"]["rules"]
    return {path["path"]: path["backend"]["service"]["name"] for rule in rules for path in rule["http"]["paths"]}


def _read_route(route: Object) -> dict[str, str]:
    found: dict[str, str] = {}
    for rule in route["spec"]["rules"]:
        names = [each["name"] for each in rule.get("backendRefs", [])] or ["nobody"]
        found |= {match["path"]["value"]: names[0] for match in rule["matches"]}
    return found


def _check_paths(found: dict[str, str]) -> Iterator[str]:
    for path, service in PATHS.items():
        if found.get(path) != service:
            yield f"{path} leads to {found.get(path)}: send it to {service}"
    for route in operator_routes.router.routes:
        path = getattr(route, "path", "")
        if found.get(path) != "nobody":
            yield f"strangers reach {path}, which is for operators: send it to nobody"


def _check_timeouts(ingress: Object) -> Iterator[str]:
    for name, value in ingress["metadata"].get("annotations", {}).items():
        seconds = re.fullmatch(r"(\d+)s?", value)
        if "timeout" in name and seconds and int(seconds[1]) <= _HEARTBEATS * _HEARTBEAT_SECONDS:
            yield f"{name} is {value}: a client may be silent for {_HEARTBEATS * _HEARTBEAT_SECONDS:g} s"
