"""The kinds of other projects that the manifests use: their definitions, and schemas that are made of them.

Each project's Go module holds its definitions (CustomResourceDefinition). They are taken from the module's archive,
whose hash stands here, and kept in output/kube/custom: the definitions for an API server, the schemas for kubeconform.
All four projects are under the licence Apache-2.0; nothing of theirs is in the repository.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from zipfile import ZipFile

import yaml

from scripts.lib.kube.tools import HOME
from scripts.lib.servers.process import Needs
from scripts.lib.servers.tools import say


class Module(NamedTuple):
    """A Go module, as `module@version`, with the hash of its archive, as in go.sum, and its files of definitions."""

    name: str
    sum: str
    files: tuple[str, ...]


MODULES = (
    Module(
        "github.com/cert-manager/cert-manager@v1.21.2",
        "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
        ("deploy/crds/cert-manager.io_certificates.yaml", "deploy/crds/cert-manager.io_issuers.yaml"),
    ),
    Module(
        "github.com/kedacore/keda/v2@v2.21.0",
        "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
        ("config/crd/bases/keda.sh_scaledobjects.yaml",),
    ),
    Module(
        "sigs.k8s.io/gateway-api@v1.6.3",
        "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
        ("config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",),
    ),
    Module(
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        (
            "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
            "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
        ),
    ),
)
GROUPS = {"cert-manager.io", "keda.sh", "gateway.networking.k8s.io", "monitoring.coreos.com"}
"""The groups of these kinds, in `apiVersion`."""


class CustomKinds(NamedTuple):
    """Two folders: definitions for an API server, and schemas, each named as kubeconform asks for it."""

    definitions: Path
    schemas: Path


def is_custom(thing: Any) -> bool:
    """Whether an object's kind is another project's."""
    return thing["apiVersion"].partition("/")[0] in GROUPS


def find_custom_kinds() -> CustomKinds:
    """Fetched when these `MODULES` were not fetched yet. Raises `Needs`."""
    folder = HOME / "custom" / hashlib.sha256(repr(MODULES).encode()).hexdigest()[:12]
    if not folder.exists():
        say("fetching the definitions of other projects' kinds; this happens once")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="fetched-", dir=folder.parent) as made:
            fetched = CustomKinds(Path(made) / "all/definitions", Path(made) / "all/schemas")
            for each in fetched:
                each.mkdir(parents=True)
            for module in MODULES:
                _fetch_module(module, fetched)
            with suppress(OSError):  # another check was faster
                (Path(made) / "all").rename(folder)
    return CustomKinds(folder / "definitions", folder / "schemas")


def _fetch_module(module: Module, target: CustomKinds) -> None:
    with TemporaryDirectory(prefix="module-") as cache, ZipFile(_download_archive(module, cache)) as archive:
        for name in module.files:
            text = archive.read(f"{module.name}/{name}").decode()
            (target.definitions / Path(name).name).write_text(text)
            for definition in yaml.safe_load_all(text):
                _write_schemas(definition, target.schemas)


def _download_archive(module: Module, cache: str) -> str:
    # Our hash is compared below, so nobody else needs to be asked for one. Go names the archive also of a module that
    # wants a newer Go, which only a build of it would need; then the exit code is not 0.
    environment = os.environ | {"GOMODCACHE": cache, "GOFLAGS": "-modcacherw", "GONOSUMDB": "*"}
    command = ["go", "mod", "download", "-json", module.name]
    try:
        done = subprocess.run(
            command, env=environment, cwd=cache, capture_output=True, text=True, timeout=300, check=False
        )
        said = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        raise Needs("needs Go, and access to its modules") from None
    if "Zip" not in said:
        raise Needs(f"needs the Go module {module.name}: {said.get('Error', 'it cannot be fetched')}")
    if said.get("Sum") != module.sum:
        raise Needs(f"the Go module {module.name} is not what it was: its hash is {said.get('Sum')}")
    archive: str = said["Zip"]
    return archive


def _write_schemas(definition: Any, folder: Path) -> None:
    spec = definition["spec"]
    kind, group = spec["names"]["kind"].lower(), spec["group"].partition(".")[0]
    for version in spec["versions"]:
        schema = make_strict(version["schema"]["openAPIV3Schema"])
        (folder / f"{kind}-{group}-{version['name']}.json").write_text(json.dumps(schema))


def make_strict(schema: Any) -> Any:
    """A schema of a definition as JSON Schema: unknown fields are refused, as kubectl's strict validation does."""
    if not isinstance(schema, dict):
        return schema
    made = {key: _convert(key, value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    elif schema.get("nullable") and "type" in schema:
        made["type"] = [schema["type"], "null"]
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if "properties" in schema and schema.get("type") == "object" and not open_ended:
        made["additionalProperties"] = False
    return made


def _convert(key: str, value: Any) -> Any:
    match key:
        case "properties":
            return {name: make_strict(each) for name, each in value.items()}
        case "items" | "additionalProperties" | "not":
            return make_strict(value)
        case "allOf" | "anyOf" | "oneOf":
            return [make_strict(each) for each in value]
    return value
