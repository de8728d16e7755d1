"""A real API server of Kubernetes with etcd, built from its sources, that accepts or refuses what overlays build.

It has no nodes and no controllers: it parses, sets defaults, validates, admits (Pod Security included) and stores, as a
cluster does before anything runs. Both listen on loopback, and end with the check.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from scripts.lib.kube.custom_kinds import find_custom_kinds
from scripts.lib.kube.objects import Overlay
from scripts.lib.kube.tools import build_tools
from scripts.lib.servers.process import Needs, Process
from scripts.lib.servers.tools import answers, ports, run

LONGEST_LINE = 400
"""Of what the server says; it likes to repeat whole objects."""


def check_overlays(overlays: Sequence[Overlay]) -> int:
    """Apply `dev` for real, and before it the others as a dry run; prints what the server says. How many it refused.

    `dev` comes last, because a dry run of the others would be one of changes to what is there.
    """
    refused = 0
    with TemporaryDirectory(prefix="kube-") as folder, run_apiserver(Path(folder)) as kubectl:
        for overlay in sorted(overlays, key=lambda each: each.name == "dev"):
            lines = [*apply_overlay(kubectl, overlay, really=overlay.name == "dev")]
            print(
                f"{'FAILED' if lines else 'ok':<7} {overlay.name}: the API server {'refuses' if lines else 'takes'} it"
            )
            print(*lines, sep="\n", end="\n" if lines else "")
            refused += len(lines)
    return refused


def apply_overlay(kubectl: Sequence[str], overlay: Overlay, *, really: bool) -> Iterator[str]:
    """What the server refuses, and warns of: a line each."""
    text = yaml.safe_dump_all(overlay.objects)
    space = json.dumps(overlay.find("Namespace", "rookery"))
    subprocess.run([*kubectl, "apply", "-f", "-"], input=space, text=True, capture_output=True, check=False, timeout=60)
    how = [] if really else ["--dry-run=server"]
    command = [*kubectl, "apply", "--validate=strict", *how, "-f", "-"]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False, timeout=300)
    yield from (f"{overlay.name}: {line[:LONGEST_LINE]}" for line in done.stderr.splitlines() if line.strip())
    if done.returncode and not done.stderr.strip():
        yield f"{overlay.name}: kubectl failed with exit code {done.returncode}"
    taken = [line for line in done.stdout.splitlines() if "/" in line]
    if len(taken) != len(overlay.objects):
        yield f"{overlay.name}: of {len(overlay.objects)} objects, the server took {len(taken)}"


@contextmanager
def run_apiserver(folder: Path) -> Iterator[list[str]]:
    """Run etcd and the API server, which knows the kinds of other projects that the manifests use; yields the kubectl
    command that speaks to it. Raises `Needs`.
    """
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise Needs("needs kubectl")
    programs = build_tools("apiserver")
    peer, client, secure = ports(folder, 3)
    token = secrets.token_urlsafe()
    etcd = _make_etcd(folder / "etcd", programs["server"], client, peer)
    server = _make_server(folder / "server", programs["kube-apiserver"], client, secure, token)
    command = [kubectl, f"--server=https://127.0.0.1:{secure}", f"--token={token}", "--insecure-skip-tls-verify"]
    try:
        for process in (etcd, server):
            process.launch()
            process.await_ready()
        _define_custom_kinds(command)
        yield command
    finally:
        server.stop()
        etcd.stop()


def _define_custom_kinds(kubectl: list[str]) -> None:
    folder = str(find_custom_kinds().definitions)
    run([*kubectl, "create", "-f", folder], "the API server refuses a definition")
    run([*kubectl, "wait", "--for=condition=established", "--timeout=60s", "-f", folder], "a definition is not served")


def _make_etcd(folder: Path, program: Path, client: int, peer: int) -> Process:
    at, peers = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    command = [str(program), "--data-dir=data", "--unsafe-no-fsync", "--log-level=error"]
    command += [f"--listen-client-urls={at}", f"--advertise-client-urls={at}", f"--listen-peer-urls={peers}"]
    command += [f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=default={peers}"]
    return Process(folder, command, ready=lambda: answers(client, b"GET /health HTTP/1.0\r\n\r\n", b"true"))


def _make_server(folder: Path, program: Path, etcd: int, secure: int, token: str) -> Process:
    def prepare() -> None:
        (folder / "tokens").write_text(f'{token},admin,1,"system:masters"\n')
        what = "needs openssl"
        run(["openssl", "genrsa", "-out", str(folder / "key.pem"), "2048"], what)
        run(["openssl", "rsa", "-in", str(folder / "key.pem"), "-pubout", "-out", str(folder / "pub.pem")], what)

    command = [
        str(program),
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        "--bind-address=127.0.0.1",
        f"--secure-port={secure}",
        "--cert-dir=certificates",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=pub.pem",
        "--service-account-signing-key-file=key.pem",
        "--token-auth-file=tokens",
        "--authorization-mode=RBAC",
    ]

    def is_ready() -> bool:
        return _ask_ready(secure, token) == b"ok"

    return Process(folder, command, ready=is_ready, prepare=prepare, start_seconds=120)


def _ask_ready(port: int, token: str) -> bytes:
    url = f"https://127.0.0.1:{port}/readyz"
    command = ["curl", "--silent", "--insecure", "--max-time", "2", "--header", f"Authorization: Bearer {token}", url]
    return subprocess.run(command, capture_output=True, check=False, timeout=10).stdout
