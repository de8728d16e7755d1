"""Builds the overlays, and holds each object against the schemas of Kubernetes, by two programs of others."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

import yaml

from scripts.lib.kube.custom_kinds import find_custom_kinds, is_custom
from scripts.lib.kube.objects import Fault, Overlay
from scripts.lib.kube.tools import HOME, KUBERNETES, find_kubeconform, find_kustomize, find_validator

_ELSEWHERE = "/api/_definitions.json"
_VALIDATE = """
import json, sys, kubernetes_validate
for thing in json.load(sys.stdin):
    try:
        kubernetes_validate.validate(thing, sys.argv[1], strict=True)
    except Exception as error:
        print(thing["kind"], thing["metadata"]["name"], ": ", str(error).splitlines()[0], sep=" ")
"""


class CannotBuild(Exception):
    """Kustomize refuses the overlay; the message is its own."""


def list_overlays(folder: Path) -> list[Path]:
    """The overlays of a folder such as k8s/."""
    return sorted(path.parent for path in folder.glob("overlays/*/kustomization.yaml"))


def build_variant(folder: Path) -> Overlay:
    """`production` with the components that no overlay uses: what they add fits as well. Raises `CannotBuild`."""
    used = "".join(path.read_text() for path in folder.glob("overlays/*/kustomization.yaml"))
    components = sorted(path.parent.name for path in folder.glob("components/*/kustomization.yaml"))
    with TemporaryDirectory(prefix="variant-", dir=folder) as made:
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": "rookery",
            "resources": ["../overlays/production"],
            "components": [f"../components/{name}" for name in components if f"components/{name}\n" not in used],
        }
        (Path(made) / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return Overlay("every component", build_overlay(Path(made)).objects)


def build_overlay(folder: Path) -> Overlay:
    """Raises `CannotBuild`."""
    done = subprocess.run([*find_kustomize(), str(folder)], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise CannotBuild(f"{folder.name}: kustomize refuses it: {done.stderr.strip()}")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C, where PyYAML has it: ten times as fast
    objects: list[dict[str, Any]] = [each for each in yaml.load_all(done.stdout, loader) if each]
    return Overlay(folder.name, objects)


def check_schemas(overlay: Overlay) -> Iterator[Fault]:
    """What kubernetes-validate and kubeconform refuse. The former knows Kubernetes' own kinds alone."""
    yield from _ask_validator(overlay.name, [each for each in overlay.objects if not is_custom(each)])
    yield from _ask_kubeconform(overlay.name, overlay.objects)


def _ask_validator(name: str, objects: list[Any]) -> Iterator[Fault]:
    python, _ = find_validator()
    command = [str(python), "-c", _VALIDATE, KUBERNETES.rpartition(".")[0]]
    done = subprocess.run(command, input=json.dumps(objects), capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        yield Fault(name, "kubernetes-validate", done.stderr.strip().splitlines()[-1])
    for line in done.stdout.splitlines():
        yield Fault(name, "kubernetes-validate", line)


def _ask_kubeconform(name: str, objects: Sequence[Any]) -> Iterator[Fault]:
    command = [str(find_kubeconform()), "-strict", "-kubernetes-version", KUBERNETES]
    for folder in (write_schemas(objects), find_custom_kinds().schemas):
        command += ["-schema-location", str(folder / "{{.ResourceKind}}{{.KindSuffix}}.json")]
    command += ["-output", "json", "-"]
    text = yaml.safe_dump_all(objects)
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)
    try:
        found = json.loads(done.stdout)["resources"]
    except (ValueError, KeyError):
        yield Fault(name, "kubeconform", done.stderr.strip() or done.stdout.strip())
        return
    for each in found or ():
        yield Fault(name, f"{each['kind']} {each['name']}", f"kubeconform: {each['msg']}")


def write_schemas(objects: Sequence[Any]) -> Path:
    """A folder with a schema for each kind, which needs no other file: kubeconform finds no definitions elsewhere."""
    _, brought = find_validator()
    source = brought / f"v{KUBERNETES}-local-strict"
    target = HOME / "schemas" / KUBERNETES
    target.mkdir(parents=True, exist_ok=True)
    definitions = ""
    for name in sorted({_name_schema(each) for each in objects}):
        if (target / name).exists() or not (source / name).exists():
            continue
        definitions = definitions or (source / "_definitions.json").read_text().replace(_ELSEWHERE, "")
        schema = json.loads((source / name).read_text().replace(_ELSEWHERE, ""))
        whole = json.dumps({**schema, "$defs": json.loads(definitions)["$defs"]})
        with NamedTemporaryFile("w", dir=target, delete=False) as file:
            file.write(whole)
        Path(file.name).rename(target / name)
    return target


def _name_schema(thing: Any) -> str:
    group, _, version = thing["apiVersion"].rpartition("/")
    short = group.partition(".")[0]
    return "-".join(part for part in (thing["kind"].lower(), short, version) if part) + ".json"
