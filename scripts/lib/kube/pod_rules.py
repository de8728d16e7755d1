"""What every pod must keep to: its rights, its settings, its probes, and the time that it has to end."""

from __future__ import annotations

import argparse
import contextlib
import io
import re
from collections.abc import Iterator

from chat.settings import Settings, SettingsError, read_settings
from rookery.cli.parser import make_parser
from scripts.lib.kube.objects import Fault, Object, Overlay, Pod, list_probes
from services.common import operator_routes
from services.common.health import PROBE_SECONDS

AFTER_DRAIN_SECONDS = 15
"""What a role may take beside its drain (docs/operations.md, "Stopping")."""
STAND_INS = {
    "ROOKERY_REDIS_URL": "redis://redis:6379/0",
    "ROOKERY_MONGO_URL": "mongodb://mongodb:27017",
    "ROOKERY_RPC_TOKEN": "token",
    "ROOKERY_KAFKA_PASSWORD": "password",
}
"""What the checks put in the place of a secret, to read the other settings with."""
_SECRET_NAMES = re.compile(r"TOKEN|PASSWORD|SECRET|(^|_)KEY$")
_CREDENTIALS = re.compile(r"://[^/\s]*:[^/\s]+@")
_PINNED = re.compile(r"@sha256:[0-9a-f]{64}$|:v?\d+\.\d+\.\d+")


def check_pods(overlay: Overlay) -> Iterator[Fault]:
    """Every fault of every pod."""
    for pod in overlay.pods:
        faults = [*_check_rights(pod), *_check_images(pod), *_check_resources(pod), *_check_secrets(pod)]
        faults += [*_check_ports_of_probes(pod), *_check_settings(overlay, pod)]
        if pod.is_role:
            faults += [*_check_role_probes(pod), *_check_grace(overlay, pod)]
        yield from (Fault(overlay.name, pod.where, text) for text in faults)


def _check_rights(pod: Pod) -> Iterator[str]:
    """The level `restricted` of Kubernetes' own standard, and more: no token, no variables, a root that cannot be
    written."""
    context = pod.spec.get("securityContext", {})
    if not context.get("runAsNonRoot") or not context.get("runAsUser"):
        yield "runs as root: set runAsNonRoot and runAsUser"
    if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "has no seccompProfile"
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield "gets a token of its ServiceAccount: set automountServiceAccountToken: false"
    if pod.spec.get("serviceAccountName") != pod.name:
        yield "has no ServiceAccount of its own"
    if pod.spec.get("enableServiceLinks") is not False:
        yield "gets a variable for each Service: set enableServiceLinks: false"
    for volume in pod.spec.get("volumes", []):
        if "hostPath" in volume:
            yield f"the volume {volume['name']} is a folder of the node"
    for container in pod.containers:
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False or own.get("capabilities", {}).get("drop") != ["ALL"]:
            yield f"{container['name']} may gain rights: set allowPrivilegeEscalation: false, and drop ALL"
        if own.get("readOnlyRootFilesystem") is not True:
            yield f"{container['name']} can write its root: set readOnlyRootFilesystem: true"


def _check_images(pod: Pod) -> Iterator[str]:
    for container in pod.containers:
        if not _PINNED.search(container["image"]):
            yield f"the image {container['image']} is not pinned: give a version such as 1.2.3, or a digest"


def _check_resources(pod: Pod) -> Iterator[str]:
    for container in pod.containers:
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= resources.get("requests", {}).keys():
            yield f"{container['name']} requests no CPU or no memory"
        if "memory" not in resources.get("limits", {}):
            yield f"{container['name']} has no limit of memory"


def _check_secrets(pod: Pod) -> Iterator[str]:
    for container in pod.containers:
        for variable in container.get("env", []):
            value = variable.get("value") or ""
            is_path = value.startswith("/")
            if (value and not is_path and _SECRET_NAMES.search(variable["name"])) or _CREDENTIALS.search(value):
                yield f"{variable['name']} holds a secret: take it from a Secret with valueFrom"


def _check_ports_of_probes(pod: Pod) -> Iterator[str]:
    for container in pod.containers:
        for kind, probe in list_probes(container):
            asked = probe.get("httpGet") or probe.get("tcpSocket")
            if asked and pod.find_port(asked["port"]) is None:
                yield f"{kind} asks the port {asked['port']}, which no container has"


def _check_settings(overlay: Overlay, pod: Pod) -> Iterator[str]:
    """Rookery's own containers: the command exists, and the settings can be read."""
    for container in pod.containers:
        if not is_ours(container):
            continue
        yield from _check_command(container)
        try:
            read_container_settings(overlay, container)
        except SettingsError as error:
            yield from (f"{container['name']}: {line}" for line in str(error).splitlines())


def is_ours(container: Object) -> bool:
    """Whether the container runs Rookery."""
    image: str = container["image"]
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0] == "rookery"


def read_container_settings(overlay: Overlay, container: Object) -> Settings:
    """The settings of one of Rookery's containers. Raises `SettingsError`."""
    found = overlay.read_env(container)
    environ = {name: STAND_INS.get(name, "") if value is None else value for name, value in found.items()}
    return read_settings(environ)


def _check_command(container: Object) -> Iterator[str]:
    try:
        parse_command(container)
    except SystemExit:
        yield f"`rookery {' '.join(container.get('args', []))}` is no command"


def parse_command(container: Object) -> argparse.Namespace:
    """The command of one of Rookery's containers. Raises `SystemExit` when there is none like it."""
    with contextlib.redirect_stderr(io.StringIO()):
        return make_parser().parse_args(container.get("args", []))


def _check_role_probes(pod: Pod) -> Iterator[str]:
    paths = {getattr(route, "path", "") for route in operator_routes.router.routes}
    wanted = {"startupProbe": "/healthz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    probes = {kind: probe for container in pod.spec["containers"] for kind, probe in list_probes(container)}
    for kind, path in wanted.items():
        asked = probes.get(kind, {}).get("httpGet", {}).get("path")
        if asked not in paths:
            yield f"{kind} asks {asked}, which Rookery does not serve"
        elif asked != path:
            yield f"{kind} asks {asked}: ask {path}"
    if probes.get("readinessProbe", {}).get("timeoutSeconds", 1) <= PROBE_SECONDS:
        yield f"readinessProbe gives up too early: engines are asked for up to {PROBE_SECONDS:g} s"


def _check_grace(overlay: Overlay, pod: Pod) -> Iterator[str]:
    (container,) = pod.spec["containers"]
    try:
        drain = read_container_settings(overlay, container).edge.drain_seconds
    except SettingsError:
        return  # said already
    pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    needed = pause + drain + AFTER_DRAIN_SECONDS
    grace = pod.spec.get("terminationGracePeriodSeconds", 30)
    if grace < needed:
        yield (
            f"terminationGracePeriodSeconds is {grace}, and preStop ({pause}), ROOKERY_DRAIN_SECONDS ({drain:g}) and "
            f"{AFTER_DRAIN_SECONDS} s more need {needed:g}"
        )
    serves = any(port["name"] in ("ws", "http") for port in container["ports"]) and pod.name.startswith(
        ("edge", "auth")
    )
    if serves and not pause:
        yield "has no preStop: balancers send it new work until they learn that it ends"
