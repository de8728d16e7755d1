"""The overlay dev as processes: each container's command and environment, with the names of Services, and no cluster.

Only what a machine lacks is replaced: 0.0.0.0 becomes an address of the pod's own, MongoDB is a server of its protocol
that is no replica set, and Kafka's and Redis' scripts find their programs elsewhere.
"""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from rookery.client import DirectMessage, connect, login, register
from scripts.lib.kube.objects import Object, Overlay, Pod
from scripts.lib.kube.validation import build_overlay
from scripts.lib.servers import mongo, nginx, redis
from scripts.lib.servers.__main__ import TOOLS
from scripts.lib.servers.process import Needs, Process
from tests.support.kafka_tools import make_kafka_home
from tests.support.named_hosts import NamedHosts

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.production]
ROOT = Path(__file__).resolve().parents[2]
EVERYWHERE = "0.0.0.0:"
ROOKERY = ROOT / ".venv/bin/rookery"


def choose_addresses(overlay: Overlay) -> dict[str, str]:
    """Pod → its address on loopback."""
    return {pod.name: f"127.0.45.{number}" for number, pod in enumerate(overlay.pods, 1)}


def list_names(overlay: Overlay) -> dict[str, str]:
    """The names that a cluster's DNS knows → the address of the pod behind them."""
    addresses = choose_addresses(overlay)
    names = {}
    for service in overlay.select("Service"):
        name = service["metadata"]["name"]
        for pod in overlay.match_pods(service["spec"]["selector"]):
            names[name] = addresses[pod.name]
            if pod.kind == "StatefulSet":
                names |= {f"{pod.name}-0.{name}{ending}": addresses[pod.name] for ending in ("", ".rookery")}
    return names


def read_secrets(overlay: Overlay) -> dict[str, str]:
    """The Secret that dev brings, in clear."""
    (secret,) = overlay.select("Secret")
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


class System:
    """All pods of the overlay as processes."""

    def __init__(self, folder: Path, overlay: Overlay) -> None:
        self.overlay = overlay
        self.addresses = choose_addresses(overlay)
        self.hosts = NamedHosts(folder, list_names(overlay))
        self._folder = folder
        self._secrets = read_secrets(overlay)

    def make_environment(self, pod: Pod, container: Object) -> dict[str, str]:
        """What the container gets, but for what only a cluster has."""
        found = {key: value for key, value in self.overlay.read_env(container).items() if value is not None}
        for variable in container.get("env", []):
            source = variable.get("valueFrom", {})
            key = source.get("secretKeyRef", {}).get("key")
            if key in self._secrets:
                found[variable["name"]] = self._secrets[key].replace("/?replicaSet=rs0", "/")
            if "fieldRef" in source:
                field = source["fieldRef"]["fieldPath"]
                known = {"metadata.namespace": "rookery", "metadata.name": f"{pod.name}-0"}
                found[variable["name"]] = known.get(field, "0" if "pod-index" in field else "")
        found = {key: value.replace("$(NAMESPACE)", "rookery") for key, value in found.items()}
        address = self.addresses[pod.name]
        found = {key: value.replace(EVERYWHERE, f"{address}:") for key, value in found.items()}
        return found | {"LISTEN": address}

    def find_pod(self, name: str) -> Pod:
        return next(pod for pod in self.overlay.pods if pod.name == name)

    def make_engine(self, name: str, script: str, port: int, **environment: str) -> Process:
        """An engine, started by the script of its pod."""
        pod = self.find_pod(name)
        folder = self._make_folder(name)
        given = self.make_environment(pod, pod.containers[0]) | environment | {"MADE": str(folder / "settings")}
        command = ["sh", str(ROOT / "k8s/base" / name / script)]
        return self.hosts.make_process(folder, command, lambda: accepts(self.addresses[name], port), **given)

    def make_role(self, pod: Pod) -> Process:
        """A role, ready when its readiness probe says so."""
        (container,) = pod.containers
        address = self.addresses[pod.name]
        command = [str(ROOKERY), *container["args"]]
        environment = self.make_environment(pod, container) | {"ROOKERY_DATA": str(self._folder / "data")}
        return self.hosts.make_process(
            self._make_folder(pod.name), command, lambda: probe(f"http://{address}:8000/readyz"), **environment
        )

    def run_job(self, name: str) -> None:
        """Each container of a Job, one after the other, to its end."""
        pod = self.find_pod(name)
        for container in pod.containers:
            environment = {**os.environ, **self.make_environment(pod, container)}
            done = self.hosts.run(str(ROOKERY), *container["args"], environment=environment)
            assert done.returncode == 0, done.stderr

    def _make_folder(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir()
        return folder


def accepts(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=2):
            return True
    except OSError:
        return False


def probe(url: str) -> bool:
    try:
        with urlopen(url, timeout=10) as answer:  # noqa: S310 - an address of ours
            return bool(answer.status in (200, 204))
    except OSError:
        return False


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """Everything that dev describes, running."""
    try:
        overlay = build_overlay(ROOT / "k8s/overlays/dev")
        found = System(tmp_path, overlay)
        programs = make_programs(tmp_path / "bin")
        mongo_server = mongo.process(tmp_path / "mongo", TOOLS)
        front = nginx.binary()
    except Needs as missing:
        pytest.skip(str(missing).splitlines()[0])
    home = make_kafka_home(tmp_path / "kafka")
    path = f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin"
    settings = str(ROOT / "k8s/base/kafka-broker/server.properties")
    data = str(tmp_path / "kafka-data")
    address = found.addresses["mongodb"]
    command = [address if word == "127.0.0.1" else word for word in mongo_server.command]
    command[command.index("--port") + 1] = "27017"
    engines = [
        found.make_engine("redis", "start-redis.sh", 6379, PATH=path, DATA=str(tmp_path)),
        found.make_engine("kafka-broker", "start-broker.sh", 9092, KAFKA=str(home), SETTINGS=settings, DATA=data),
        found.hosts.make_process(tmp_path / "mongo", command, lambda: accepts(address, 27017)),
    ]
    with ExitStack() as stack:
        start_all(stack, engines)
        found.run_job("migrate")
        start_all(stack, [found.make_role(pod) for pod in overlay.pods if pod.is_role])
        start_all(stack, [make_front(found, front, tmp_path)])
        yield found


def start_all(stack: ExitStack, processes: list[Process]) -> None:
    for process in processes:
        process.folder.mkdir(exist_ok=True)
        stack.callback(process.stop)
        process.launch()
    for process in processes:
        process.await_ready()


def make_programs(folder: Path) -> Path:
    """Redis' programs under the names that its image has."""
    folder.mkdir()
    (folder / "redis-server").symlink_to(redis.binary(TOOLS).resolve())
    return folder


def make_front(system: System, program: Path, folder: Path) -> Process:
    address = system.addresses["front"]
    made = folder / "front"
    made.mkdir()
    settings = (ROOT / "k8s/overlays/dev/nginx.conf").read_text()
    settings = settings.replace("listen 8080", f"listen {address}:8080").replace("/tmp/", f"{made}/")  # noqa: S108
    (made / "nginx.conf").write_text(settings)
    command = [str(program), "-g", "daemon off;", "-c", str(made / "nginx.conf")]
    return system.hosts.make_process(made, command, lambda: probe(f"http://{address}:8080/front/healthz"))


@pytest.mark.anyio
async def test_a_message_passes_from_one_user_to_another(system: System, anyio_backend: Any) -> None:
    front = f"{system.addresses['front']}:8080"
    for name in ("ada", "bob"):
        await register(f"http://{front}", name, "a good password")
    ada, bob = [await login(f"http://{front}", name, "a good password") for name in ("ada", "bob")]
    async with (
        connect(f"ws://{front}/ws", token=ada.token) as sender,
        connect(f"ws://{front}/ws", token=bob.token) as receiver,
    ):
        await sender.dm(receiver.user.id, "hello from the overlay")
        async for event in receiver:
            if isinstance(event, DirectMessage):
                assert event.text == "hello from the overlay"
                break
