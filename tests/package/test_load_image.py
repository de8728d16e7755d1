"""The image of the load test: what its Containerfile copies is there, is not ignored, and is what locust needs."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
STEPS = (ROOT / "perf/load/Containerfile").read_text().replace("\\\n", " ")
COMPONENT = ROOT / "k8s/components/load"


def list_copied() -> dict[str, str]:
    """Source → target of what comes from the sources."""
    return dict(re.findall(r"^COPY (?!--from)(\S+) (\S+)$", STEPS, re.MULTILINE))


def read_containers() -> dict[str, list[str]]:
    """Job → arguments of its container."""
    found = {}
    for name in ("master", "worker"):
        for each in yaml.safe_load_all((COMPONENT / f"{name}.yaml").read_text()):
            if each["kind"] == "Job":
                (container,) = each["spec"]["template"]["spec"]["containers"]
                found[each["metadata"]["name"]] = container["args"]
    return found


def test_what_is_copied_is_there_and_kept_by_the_ignore_file() -> None:
    kept = [line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")]
    for source in list_copied():
        assert (ROOT / source).exists()
        assert any(source == each or source.startswith(f"{each}/") for each in kept), source


def test_every_package_that_the_load_test_imports_is_copied() -> None:
    sources = [ROOT / "perf/locustfile.py", *(ROOT / "perf/load").glob("*.py"), *(ROOT / "rookery/client").glob("*.py")]
    imported = {
        name
        for source in sources
        for name in re.findall(
            r"^from (chat|gateway|services|workers|rookery|perf)\b", source.read_text(), re.MULTILINE
        )
    }
    copied = {
        target.removeprefix("/app/").split("/")[0] for source, target in list_copied().items() if "/app" in target
    }
    assert imported == copied


def test_nobody_is_root_and_pip_stays_behind() -> None:
    final = STEPS.split("\nFROM ")[-1]
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert "pip uninstall" in final
    assert "--require-hashes" in STEPS


def test_workers_share_the_tokens_among_as_many_as_there_are() -> None:
    (job,) = [each for each in yaml.safe_load_all((COMPONENT / "worker.yaml").read_text()) if each["kind"] == "Job"]
    settings = dict(line.split("=", 1) for line in (COMPONENT / "settings.env").read_text().splitlines())
    assert job["spec"]["parallelism"] == job["spec"]["completions"] == int(settings["LOCUST_EXPECT_WORKERS"])
    accounts = {"--tokens=/accounts/tokens", "--room-ids=/accounts/rooms"}
    assert all(accounts <= set(arguments) for arguments in read_containers().values())
