"""The wheel: what it holds, and that it runs in environments that hold nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.installation import Installation
from tests.support.process import RoleProcess

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "serve": "server",
    "edge": "production",
    "auth": "production",
    "chat": "production",
    "moderation": "production",
    "worker persistence": "production",
    "topics apply": "production",
    "db migrate": "production",
    "dead-letters replay t": "server",
    "config check": "server",
    "db backup file": "server",
    "admin audit": "server",
    "admin invitation list r": "server",
    "admin key list": "server",
    "admin room list": "server",
    "admin session list ada": "server",
    "admin user create ada": "server",
    "admin user export ada": "server",
    "admin user set-password ada": "server",
    "admin user delete ada": "server",
    "admin room set-owner r ada": "server",
    "admin seed --users 1 --rooms 1 --members 1 --tokens t --room-ids r": "server",
}
"""Every command → the extra that it needs."""
TALK = """
import sys, anyio
from rookery.client import DirectMessage, connect, login, register

async def main(http, ws):
    for name in ("ada", "bob"):
        await register(http, name, "a good password")
    ada, bob = [await login(http, name, "a good password") for name in ("ada", "bob")]
    async with connect(ws, token=ada.token) as sender, connect(ws, token=bob.token) as receiver:
        await sender.dm(receiver.user.id, "hello from the wheel")
        async for event in receiver:
            if isinstance(event, DirectMessage):
                print(event.from_.name, event.text)
                break

async def bounded():
    with anyio.fail_after(100):
        await main(*sys.argv[1:])

anyio.run(bounded)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def client_alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """`pip install rookery`."""
    installation = Installation(tmp_path_factory.mktemp("client"))
    installation.install_wheel(wheel)
    return installation


@pytest.fixture(scope="module")
def with_server(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """`pip install 'rookery[server]'`."""
    installation = Installation(tmp_path_factory.mktemp("server"))
    installation.install_wheel(wheel, "server")
    return installation


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "rookery", "gateway", "services", "workers", "chat", "proto", "web"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    if not listed:
        pytest.skip("this source tree is not a checkout of git")
    held = set(zipfile.ZipFile(wheel).namelist())
    of_page = {name for name in listed if name.startswith("web/")}
    assert set(listed) - of_page - held == set()
    served = {name for name in of_page if name.startswith("web/static/") or name.endswith((".py", "py.typed"))}
    assert {name for name in held if name.startswith("web/")} == served
    assert {f"{package}/py.typed" for package in ("rookery", "chat", "gateway", "proto")} <= held
    assert not [name for name in held if name.startswith(("tests/", "scripts/", "perf/"))]


def test_the_client_library_needs_little(client_alone: Installation, tmp_path: Path) -> None:
    listing = (
        "from importlib.metadata import distributions; print(*(each.metadata['Name'] for each in distributions()))"
    )
    installed = {name.lower() for name in client_alone.run_code(listing, cwd=tmp_path).split()}
    assert installed >= {"rookery", "anyio", "h11", "wsproto", "msgspec", "orjson"}
    assert len(installed) < 12, installed
    client_alone.run_code("import rookery.client", cwd=tmp_path)


@pytest.mark.parametrize(("command", "extra"), COMMANDS.items(), ids=list(COMMANDS))
def test_a_command_says_in_one_line_what_to_install(
    client_alone: Installation, tmp_path: Path, command: str, extra: str
) -> None:
    done = client_alone.run("-m", "rookery", *command.split(), cwd=tmp_path)
    assert done.returncode == 2
    assert re.fullmatch(rf"rookery: the module \w+ is not installed: pip install 'rookery\[{extra}\]'\n", done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_the_help_of_every_command_needs_no_extra(client_alone: Installation, tmp_path: Path) -> None:
    for command in ("", *COMMANDS):
        done = client_alone.run("-m", "rookery", *command.split(), "--help", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "usage: rookery" in done.stdout


def test_the_tests_of_the_client_pass_without_the_extras(client_alone: Installation, tmp_path: Path) -> None:
    # Event loops to test on, and what makes certificates.
    client_alone.install_tools("pytest", "hypothesis", "trio", "uvloop", "cryptography")
    for copied in ("tests/conftest.py", "tests/support", "tests/rookery/client", "pyproject.toml"):
        source, target = ROOT / copied, tmp_path / copied
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    done = client_alone.run("-m", "pytest", "-q", "tests/rookery/client", cwd=tmp_path, timeout=600)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert re.search(r"\d\d+ passed", done.stdout)


def test_the_installed_server_passes_a_message(with_server: Installation, tmp_path: Path) -> None:
    process = RoleProcess("wheel", "serve", "--data", "data", edge=True, folder="package", moderation="on")
    process.command, process.cwd = [str(with_server.folder / "bin/rookery")], tmp_path
    with process as at:
        assert with_server.run_code(TALK, at.http, at.ws, cwd=tmp_path) == "ada hello from the wheel\n"
        page = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
        assert "<html" in with_server.run_code(page, f"{at.http}/", cwd=tmp_path)
        at.check()


def test_the_installed_server_names_the_extra_of_the_drivers(with_server: Installation, tmp_path: Path) -> None:
    for variable, value in (("REDIS_URL", "redis://h:1"), ("KAFKA", "h:1"), ("MONGO_URL", "mongodb://h:1")):
        done = subprocess.run(
            [with_server.folder / "bin/rookery", "serve", "--http", "127.0.0.1:0", "--ws", "127.0.0.1:0"],
            cwd=tmp_path,
            env={**_clean_environment(), f"ROOKERY_{variable}": value},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 2, done.stderr
        assert re.fullmatch(
            r"rookery: the module \w+ is not installed: pip install 'rookery\[production\]'\n", done.stderr
        )


def _clean_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("ROOKERY_", "PYTHON"))}
