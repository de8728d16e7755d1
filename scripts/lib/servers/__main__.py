"""The command behind scripts/servers, which explains its use."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.lib.servers import kafka, mongo, redis
from scripts.lib.servers.process import Needs, Process
from scripts.lib.servers.tools import locked

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / "output" / "servers"
TOOLS = HOME / "tools"


@dataclass(frozen=True)
class Server:
    """`processes` installs what is missing, and may raise `Needs`; `url` is asked only after it."""

    processes: Callable[[Path, Path], list[Process]]
    url: Callable[[Path], str]


SERVERS = {
    "redis": Server(lambda folder, tools: [redis.process(folder, tools)], redis.url),
    "kafka": Server(partial(kafka.processes, nodes=1), partial(kafka.url, nodes=1)),
    "mongo": Server(lambda folder, tools: [mongo.process(folder, tools)], mongo.url),
    "kafka3": Server(partial(kafka.processes, nodes=3), partial(kafka.url, nodes=3)),
}
USUAL = ("redis", "kafka", "mongo")


@contextmanager
def alone(name: str, home: Path) -> Iterator[None]:
    """One call at a time for each server of this folder, and for what it installs."""
    with locked(home / f"{name}.lock"), locked(TOOLS / f"{name.rstrip('3')}.lock"):
        yield


def start(name: str, home: Path) -> str:
    """Start the server unless it runs, and wait until it answers; its URL. Raises `Needs`."""
    server = SERVERS[name]
    with alone(name, home):
        processes = server.processes(home / name, TOOLS)
        try:
            for process in processes:
                process.launch()
            for process in processes:
                process.await_ready()
        except BaseException:
            for process in processes:
                process.stop()
            raise
        return server.url(home / name)


def stop(name: str, home: Path) -> str:
    """End the server, and say whether it ran. Needs nothing to be installed."""
    with alone(name, home):
        processes = running(name, home)
        for process in processes:
            process.stop()
        return "stopped" if processes else "did not run"


def running(name: str, home: Path) -> list[Process]:
    """The processes of the server that run, as far as they can be ended."""
    files = sorted((home / name).rglob("pid"))
    made = (Process(folder=path.parent, command=(), ready=lambda: True) for path in files)
    return [process for process in made if process.pid() is not None]


def status(name: str, home: Path) -> str:
    """Its URL, or that it does not run."""
    return SERVERS[name].url(home / name) if running(name, home) else "stopped"


def each(names: list[str], home: Path, act: Callable[[str, Path], object]) -> int:
    """Do it with all of them at once, and print what comes of it, in order; 1 when something was missing."""
    missing = 0
    with ThreadPoolExecutor(len(names)) as pool:
        for name, future in [(name, pool.submit(act, name, home)) for name in names]:
            try:
                print(f"{name:<8}{future.result()}", flush=True)
            except Needs as error:
                print(f"{name}: {error}", file=sys.stderr)
                missing = 1
    return missing


def one(name: str, home: Path, act: Callable[[str, Path], object]) -> int:
    """Do it, and print the bare answer."""
    try:
        print(act(name, home))
    except Needs as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/servers", description="Starts and stops the real servers.")
    parser.add_argument("--folder", type=Path, default=HOME, help="where the servers' data is")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("start", "stop", "status"):
        commands.add_parser(command).add_argument("names", nargs="*", metavar="NAME", default=[])
    for command in ("url", "pids"):
        commands.add_parser(command).add_argument("name", metavar="NAME", choices=SERVERS)
    given = parser.parse_args(arguments)
    home: Path = given.folder.resolve()
    if given.command == "url":
        return one(given.name, home, start)
    if given.command == "pids":
        return one(given.name, home, lambda name, home: "\n".join(str(each.pid()) for each in running(name, home)))
    unknown = sorted(set(given.names) - set(SERVERS))
    if unknown:
        parser.error(f"there is no server {unknown[0]}; there are {', '.join(SERVERS)}")
    if given.command == "start":
        return each(given.names or list(USUAL), home, start)
    if given.command == "stop":
        return each(given.names or list(SERVERS), home, stop)
    return each(given.names or list(SERVERS), home, status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
