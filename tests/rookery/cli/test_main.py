"""The command line: its help is quick, because nothing is imported for it, and a missing extra is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chat.settings import list_variables
from rookery.cli.parser import make_parser

ROOT = Path(__file__).resolve().parents[3]
ARGUMENTS = {
    "serve": (),
    "edge": (),
    "auth": (),
    "chat": (),
    "moderation": (),
    "worker": ("persistence",),
    "topics apply": (),
    "db migrate": (),
    "dead-letters replay": ("room-messages",),
    "admin user create": ("ada",),
    "admin user set-password": ("ada",),
    "admin user delete": ("ada",),
    "admin room set-owner": ("00000000-0000-0000-0000-000000000000", "ada"),
    "admin drain": ("1",),
    "admin topics apply": (),
    "admin dead-letters replay": ("room-messages",),
    "admin seed": ("--users=1", "--rooms=1", "--members=1", "--tokens=t", "--room-ids=r"),
}
"""Every command → arguments that it takes."""
LIST_IMPORTS = """
import sys
before = set(sys.modules)
try:
    exec(sys.argv.pop(1))
except SystemExit as end:
    assert end.code == 0
names = {name.partition(".")[0] for name in set(sys.modules) - before}
print("imported:", *sorted(names - sys.stdlib_module_names))
"""
# To the import system, a module that is None is one that is not there.
RUN_WITHOUT = """
import sys
sys.modules[sys.argv.pop(1)] = None
from rookery.cli import main
sys.exit(main(sys.argv[1:]))
"""


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("command", ["", *ARGUMENTS])
def test_help_imports_the_settings_and_nothing_else(command: str) -> None:
    done = run_python(LIST_IMPORTS, "from rookery.cli import main; main(sys.argv[1:])", *command.split(), "--help")
    assert done.returncode == 0, done.stderr
    assert f"usage: rookery {command}".rstrip() in done.stdout
    imported = done.stdout.splitlines()[-1].split()[1:]
    assert set(imported) - {"typing_extensions"} == {"chat", "msgspec", "rookery"}  # msgspec takes it where it is


@pytest.mark.parametrize(
    ("role", "others"),
    [
        ("edge", {"services.auth.routes", "services.chat", "services.moderation", "services.notification", "workers"}),
        ("worker", {"services.auth.routes", "services.chat", "services.moderation", "gateway", "chat.adapters.mail"}),
        ("rest", {"services.auth.routes", "services.chat", "services.moderation", "gateway", "workers"}),
    ],
)
def test_a_role_does_not_import_what_others_run(role: str, others: set[str]) -> None:
    done = run_python(f"import sys, rookery.cli.roles.{role}; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    assert not others & set(done.stdout.split())


def test_the_client_library_imports_what_it_declares() -> None:
    done = run_python(LIST_IMPORTS, "import rookery.client")
    assert done.returncode == 0, done.stderr
    third_party = {name for name in done.stdout.split()[1:] if not name.startswith("_")} - {"chat", "rookery"}
    # The last three come with anyio, or are taken by it where they are.
    assert third_party - {"idna", "sniffio", "typing_extensions"} == {"anyio", "h11", "msgspec", "orjson", "wsproto"}


@pytest.mark.parametrize(
    ("module", "command", "extra"),
    [
        ("fastapi", "serve", "server"),
        ("uvloop", "serve", "server"),
        ("sniffio", "admin seed", "server"),
        ("sniffio", "dead-letters replay", "server"),
        ("fastapi", "edge", "production"),
        ("sniffio", "topics apply", "production"),
        ("sniffio", "db migrate", "production"),
    ],
)
def test_a_command_names_the_extra_that_is_missing(module: str, command: str, extra: str) -> None:
    done = run_python(RUN_WITHOUT, module, *command.split(), *ARGUMENTS[command])
    assert done.returncode == 2
    assert done.stderr == f"rookery: the module {module} is not installed: pip install 'rookery[{extra}]'\n"
    assert done.stdout == ""


@pytest.mark.parametrize("command", ARGUMENTS)
def test_the_flag_of_a_setting_shows_its_default(command: str) -> None:
    options = make_parser().parse_args([*command.split(), *ARGUMENTS[command]])
    flags = {each.setting.flag for each in list_variables() if each.setting.flag}
    given = {f"--{name.replace('_', '-')}" for name in vars(options)}
    assert {"--data", "--backend", "--log-level"} <= flags & given
    assert all(getattr(options, flag.removeprefix("--").replace("-", "_"), None) is None for flag in flags if flag)


def test_a_setting_that_cannot_be_read_comes_before_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    from rookery.cli import main

    assert main(["serve", "--http", "nonsense"]) == 1
    assert "--http='nonsense': give HOST:PORT" in capfd.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1", "many", "257", "²", ""])
def test_a_number_of_processes_that_makes_no_sense_is_refused(number: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        make_parser().parse_args(["edge", "--processes", number])
    assert ended.value.code == 2
    assert "give a number from 1 to 256, or auto" in capfd.readouterr().err


def test_auto_means_as_many_processes_as_cores() -> None:
    assert make_parser().parse_args(["edge", "--processes", "auto"]).processes >= 1
    assert make_parser().parse_args(["edge"]).processes == 1


def test_several_processes_need_the_servers_in_which_they_meet(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rookery.cli import main

    for name in ("ROOKERY_REDIS_URL", "ROOKERY_KAFKA", "ROOKERY_MONGO_URL"):
        monkeypatch.delenv(name, raising=False)
    assert main(["edge", "--processes", "2"]) == 1
    said = capfd.readouterr().err
    assert "set ROOKERY_REDIS_URL" in said
    assert "processes of single roles meet in Redis, Kafka and MongoDB" in said
