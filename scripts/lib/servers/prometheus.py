"""Prometheus and promtool: from the system, or unpacked from Debian's package, whose installation starts a service."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from scripts.lib.servers.process import Needs, Process
from scripts.lib.servers.tools import answers, ports, run, say

_WHAT = "needs Prometheus with promtool (on Debian: apt-get install prometheus)"
_SETTINGS = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: {rules}
scrape_configs:
  - job_name: rookery
    static_configs: [{{targets: {targets}}}]
"""


def find_program(tools: Path, name: str) -> Path:
    """`prometheus` or `promtool`; installed when there is none. Raises `Needs`."""
    found = shutil.which(name)
    if found is not None:
        return Path(found)
    program = tools / "prometheus" / "usr" / "bin" / name
    if not program.exists():
        _unpack_package(tools / "prometheus")
    if subprocess.run([program, "--version"], capture_output=True, check=False).returncode != 0:
        raise Needs(f"{_WHAT}: what its package holds does not run here")
    return program


def process(folder: Path, tools: Path, targets: Sequence[str], rules: Sequence[Path]) -> Process:
    """A Prometheus that scrapes these addresses once a second, and keeps what it scraped in `folder`."""
    port = ports(folder, 1)[0]

    def prepare() -> None:
        settings = _SETTINGS.format(rules=[str(each.resolve()) for each in rules], targets=list(targets))
        (folder / "prometheus.yml").write_text(settings)

    return Process(
        folder=folder,
        command=[
            str(find_program(tools, "prometheus")),
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        ready=lambda: answers(port, b"GET /-/ready HTTP/1.0\r\n\r\n", b" 200 "),
        prepare=prepare,
    )


def url(folder: Path) -> str:
    """Where it is."""
    return f"http://127.0.0.1:{ports(folder, 1)[0]}"


def _unpack_package(folder: Path) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Needs(_WHAT)
    say("fetching Prometheus with apt-get")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    download = "apt-get download -qq prometheus"
    run(["sh", "-c", f"cd '{folder}' && ({download} || (apt-get update -qq && {download}))"], _WHAT)
    (package,) = folder.glob("prometheus_*.deb")
    run(["dpkg-deb", "--extract", str(package), str(folder)], _WHAT)
    package.unlink()
