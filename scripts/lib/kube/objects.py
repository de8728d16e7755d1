"""Kubernetes objects as the checks see them: what an overlay builds, and the pods in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Object = Mapping[str, Any]
NAME = "app.kubernetes.io/name"
WORKLOADS = ("Deployment", "StatefulSet", "Job")


@dataclass(frozen=True)
class Fault:
    """What is wrong, for the person who wrote the manifest: where, and what to do."""

    overlay: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.overlay}: {self.where}: {self.text}"


@dataclass(frozen=True)
class Pod:
    """The pods of a workload, by their template."""

    kind: str
    name: str
    labels: Mapping[str, str]
    spec: Object
    workload: Object

    @property
    def where(self) -> str:
        """How a fault names it."""
        return f"{self.kind} {self.name}"

    @property
    def containers(self) -> list[Object]:
        """All containers, those that run first included."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def is_role(self) -> bool:
        """Whether it runs a role of Rookery, and not an engine, a job or a proxy."""
        return self.labels.get("app.kubernetes.io/component") == "role"

    def find_port(self, wanted: object) -> int | None:
        """The number of a port that a container has, by its name or number."""
        ports = [port for container in self.containers for port in container.get("ports", [])]
        for port in ports:
            if wanted in (port.get("name"), port["containerPort"]):
                return int(port["containerPort"])
        return None


@dataclass(frozen=True)
class Overlay:
    """All objects that an overlay builds."""

    name: str
    objects: Sequence[Object]
    pods: Sequence[Pod] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pods", [_make_pod(each) for each in self.objects if each["kind"] in WORKLOADS])

    def select(self, kind: str) -> list[Object]:
        """The objects of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def find(self, kind: str, name: str) -> Object | None:
        """The object of this kind and name."""
        return next((each for each in self.select(kind) if each["metadata"]["name"] == name), None)

    def match_pods(self, labels: Mapping[str, str]) -> list[Pod]:
        """The pods that a selector of a Service matches."""
        return [pod for pod in self.pods if labels.items() <= pod.labels.items()]

    def read_env(self, container: Object) -> dict[str, str | None]:
        """The environment of a container; None for what comes from a Secret or from the pod itself.

        What a Secret may lack is left out.
        """
        found: dict[str, str | None] = {}
        for source in container.get("envFrom", []):
            settings = self.find("ConfigMap", source.get("configMapRef", {}).get("name", ""))
            found |= settings["data"] if settings else {}
        for variable in container.get("env", []):
            if variable.get("valueFrom", {}).get("secretKeyRef", {}).get("optional"):
                continue
            found[variable["name"]] = variable.get("value") if "valueFrom" not in variable else None
        return found


def find_by_selector(selector: Object, pods: Sequence[Pod]) -> list[Pod]:
    """The pods that a LabelSelector matches; an empty one matches all."""
    return [pod for pod in pods if _fits(selector, pod.labels)]


def _fits(selector: Object, labels: Mapping[str, str]) -> bool:
    for rule in selector.get("matchExpressions", []):
        has = labels.get(rule["key"]) in rule.get("values", [])
        if has != (rule["operator"] == "In"):
            return False
    wanted: Mapping[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


def _make_pod(workload: Object) -> Pod:
    template = workload["spec"]["template"]
    labels = template["metadata"].get("labels", {})
    return Pod(workload["kind"], workload["metadata"]["name"], labels, template["spec"], workload)


def list_probes(container: Object) -> Iterator[tuple[str, Object]]:
    """The probes of a container, each with its kind."""
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        if kind in container:
            yield kind, container[kind]
