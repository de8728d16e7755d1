"""The image, without any engine: the environment that the Containerfile builds, and what the file itself says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scripts.lib.image.build import select_pins
from scripts.lib.image.check import find_builders, find_faults, find_writable

ROOT = Path(__file__).resolve().parents[2]
STEPS = (ROOT / "Containerfile").read_text().replace("\\\n", " ")
BUILD, FINAL = STEPS.split("\nFROM ")[1:]
LOCK = """\
aa==1.0 \\
    --hash=sha256:00
    # via rookery
b-b==2.0 ; sys_platform == 'linux' \\
    --hash=sha256:11
"""


def list_copied(stage: str) -> list[tuple[str, str]]:
    """What a stage copies from the sources: from, to."""
    found = []
    for words in re.findall(r"^COPY (?!--from)(.+)$", stage, re.MULTILINE):
        *sources, target = words.split()
        found += [(source, target) for source in sources]
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage makes, of no more than it copies."""
    folder = tmp_path_factory.mktemp("image")
    sources = folder / "sources"
    for source, target in list_copied(BUILD):
        there = sources / target / Path(source).name if target.endswith("/") else sources / target
        there.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, there, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        else:
            shutil.copy(ROOT / source, there)
    (command,) = re.findall(r"^RUN python (\S+) /opt/rookery$", BUILD, re.MULTILINE)
    build = [sys.executable, command, str(folder / "rookery")]
    done = subprocess.run(build, cwd=sources, capture_output=True, text=True, timeout=900, check=False)
    if "No matching distribution" in done.stderr or "Connection" in done.stderr:
        pytest.skip("needs an index of Python packages")
    assert done.returncode == 0, done.stderr
    return folder / "rookery"


@pytest.mark.long
@pytest.mark.slow
def test_the_environment_runs_as_another_user_and_holds_nothing_that_builds(environment: Path) -> None:
    assert list(find_faults(environment)) == []


@pytest.mark.long
@pytest.mark.slow
def test_the_environment_has_what_the_bill_of_materials_says(environment: Path) -> None:
    (site,) = environment.glob("lib/python*/site-packages")
    installed = {re.sub(r"[-_.]+", "-", path.name.partition("-")[0]).lower() for path in site.glob("*.dist-info")} - {
        "rookery"
    }
    listed = set(re.findall(r'"bom-ref": "pkg:pypi/([^@]+)@', (ROOT / "requirements/production.cdx.json").read_text()))
    assert installed == listed


def test_what_builds_and_what_others_can_write_is_found(tmp_path: Path) -> None:
    site = tmp_path / "lib/python3.11/site-packages"
    (site / "pip-24.0.dist-info").mkdir(parents=True)
    (site / "hatchling").mkdir()
    assert list(find_builders(tmp_path)) == ["hatchling is in the environment", "pip is in the environment"]
    assert list(find_writable(tmp_path)) == []
    (site / "module.py").touch()
    (site / "module.py").chmod(0o666)
    assert list(find_writable(tmp_path)) == ["lib/python3.11/site-packages/module.py can be written by others"]


def test_pins_are_selected_with_their_hashes() -> None:
    assert select_pins(LOCK, ["b-b"]) == "b-b==2.0 ; sys_platform == 'linux' \\\n    --hash=sha256:11\n\n"
    with pytest.raises(LookupError, match="has no cc"):
        select_pins(LOCK, ["aa", "cc"])


def test_the_base_image_is_pinned_and_the_user_is_nobody_in_particular() -> None:
    assert re.search(r"^ARG PYTHON_IMAGE=python:\d+\.\d+\.\d+-slim-\w+$", STEPS, re.MULTILINE)
    assert re.search(r"^USER 10001:10001$", FINAL, re.MULTILINE)
    assert "runAsUser: 10001" in (ROOT / "k8s/base/roles/every-role.yaml").read_text()


def test_the_last_stage_neither_builds_nor_installs_and_leaves_health_to_probes() -> None:
    runs = "\n".join(re.findall(r"^RUN (.+)$", FINAL, re.MULTILINE))
    assert "apt-get" not in runs
    assert "install -r" not in runs
    assert "pip uninstall" in runs
    assert "HEALTHCHECK " not in FINAL
    assert 'ENTRYPOINT ["tini", "--", "rookery"]' in FINAL


def test_every_package_of_the_wheel_is_copied_and_not_ignored() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    copied = {source for source, _ in list_copied(STEPS)}
    assert packages - copied == set()
    kept = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    assert copied - kept == set()
    assert [source for source in copied if not (ROOT / source).exists()] == []
