"""Reads the command line, chooses the event loop, and runs the role."""

from __future__ import annotations

import argparse
import gc
import logging
import resource
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import anyio

import rookery
from chat.errors import RookeryError
from chat.settings import Settings, SettingsError, read_settings
from rookery.cli import db, dead_letters, roles, seed, topics

_POOLS = ("persistence", "moderation", "notification")
_BACKENDS = ("asyncio", "uvloop", "trio")
Main = Callable[[Settings, argparse.Namespace], Coroutine[Any, Any, int]]


def main(arguments: Sequence[str] | None = None) -> int:
    """The `rookery` command: its exit code. 0 after a drain, 1 when it cannot start, 2 for unusable arguments."""
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings(
            flags={
                "--data": options.data,
                "--http": getattr(options, "http", None),
                "--ws": getattr(options, "ws", None),
                "--backend": options.backend,
                "--log-level": options.log_level,
            }
        )
    except SettingsError as error:
        return _fail(str(error))
    _prepare(settings)
    run: Main = options.run
    return _run(run, settings, options)


def _run(run: Main, settings: Settings, options: argparse.Namespace) -> int:
    uvloop = settings.backend == "uvloop"
    backend = "asyncio" if uvloop else settings.backend
    backend_options = {"use_uvloop": True} if uvloop else {}
    try:
        return anyio.run(run, settings, options, backend=backend, backend_options=backend_options)
    except (RookeryError, SettingsError, OSError) as error:
        return _fail(str(error))
    except BaseExceptionGroup as group:
        expected, defects = group.split((RookeryError, SettingsError, OSError, KeyboardInterrupt))
        if defects is not None or expected is None:
            raise
        return _fail("; ".join(_leaves(expected)))
    except KeyboardInterrupt:
        return 130


def _leaves(group: BaseExceptionGroup[Any]) -> list[str]:
    found: list[str] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [str(error) or type(error).__name__]
    return found


def _fail(message: str) -> int:
    for line in message.splitlines():
        print(f"rookery: {line}", file=sys.stderr)
    return 1


def _prepare(settings: Settings) -> None:
    """What concerns the whole process: open files, the collector, the log."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # Sessions live long and hold no cycles: a full collection that visits all of them again and again finds nothing.
    gc.set_threshold(10_000, 20, 100)
    logging.basicConfig(
        stream=sys.stderr,
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rookery", description="A chat system around a WebSocket gateway.")
    parser.add_argument("--version", action="version", version=f"rookery {rookery.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    serve = _command(commands, "serve", "everything in one process", roles.run_serve)
    _addresses(serve, ws=True)
    _addresses(_command(commands, "edge", "the WebSocket edge alone", roles.run_edge), ws=True)
    _addresses(_command(commands, "auth", "the REST of accounts alone", roles.run_auth), ws=False)
    _addresses(_command(commands, "chat", "all other REST, and the web page", roles.run_chat), ws=False)
    _addresses(_command(commands, "moderation", "the moderation service", roles.run_moderation_service), ws=False)
    worker = _command(commands, "worker", "worker pools", roles.run_worker)
    worker.add_argument("names", nargs="+", choices=_POOLS, metavar="NAME", help=f"one or more of {', '.join(_POOLS)}")
    _addresses(worker, ws=False)
    tools = commands.add_parser("topics", help="Kafka's topics").add_subparsers(required=True, metavar="TOOL")
    topics.add_arguments(_command(tools, "apply", "make Kafka's topics as the settings say", topics.run))
    letters = commands.add_parser("dead-letters", help="records that could not be handled")
    letters_tools = letters.add_subparsers(required=True, metavar="TOOL")
    replaying = _command(letters_tools, "replay", "put dead letters back into their topic", dead_letters.run)
    dead_letters.add_arguments(replaying)
    databases = commands.add_parser("db", help="MongoDB's database").add_subparsers(required=True, metavar="TOOL")
    _command(databases, "migrate", "bring the database to the format of this version", db.run)
    admin = commands.add_parser("admin", help="the administrator's tools").add_subparsers(required=True, metavar="TOOL")
    seeding = _command(admin, "seed", "make users and rooms, and write their tokens and ids", seed.run)
    seed.add_arguments(seeding)
    return parser


def _command(commands: Any, name: str, text: str, run: Main) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("--data", metavar="DIR", help="folder of the embedded engines (default ./data)")
    parser.add_argument("--backend", choices=_BACKENDS, help="event loop (default uvloop)")
    parser.add_argument("--log-level", choices=["debug", "info", "warning", "error"], help="default info")
    parser.set_defaults(run=run)
    return parser


def _addresses(parser: argparse.ArgumentParser, *, ws: bool) -> None:
    parser.add_argument("--http", metavar="HOST:PORT", help="REST and the web page (default 127.0.0.1:8000)")
    if ws:
        parser.add_argument("--ws", metavar="HOST:PORT", help="the WebSocket edge (default 127.0.0.1:8001)")
