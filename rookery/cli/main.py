"""Runs a command: reads the command line and the settings, chooses the event loop, and makes an exit code of errors.

A command is imported when it is chosen, so `--help` is quick, and works without the extra `server`.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import msgspec

from chat.settings import MissingExtra, Settings, SettingsError, list_variables, require_extra, try_settings
from rookery.cli.machine_token import add_machine_token
from rookery.cli.parser import make_parser

Command = Callable[[Settings, argparse.Namespace], Coroutine[Any, Any, int]]


def main(arguments: Sequence[str] | None = None) -> int:
    """The `rookery` command: its exit code.

    0 after a drain or a tool's success, 1 when it fails, 2 for unusable arguments and when an extra is not installed.
    """
    options = make_parser().parse_args(arguments)
    options.arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        settings = _read_settings(options)
        settings = msgspec.structs.replace(settings, rpc=add_machine_token(settings.rpc, os.environ))
        command = import_command(settings, options)
    except SettingsError as error:
        return _report([error])
    _prepare_process(settings, getattr(options, "process_number", None))
    return _run_command(command, settings, options)


def _read_settings(options: argparse.Namespace) -> Settings:
    """The settings of the flags, the environment and `--settings`; a command that checks them gets the problems."""
    settings, options.problems = try_settings(flags=_read_flags(options), file=options.settings)
    if options.problems and not options.checks_settings:
        raise SettingsError("\n".join(options.problems))
    return settings


def _read_flags(options: argparse.Namespace) -> dict[str, str | None]:
    flags = [variable.setting.flag for variable in list_variables() if variable.setting.flag]
    return {flag: getattr(options, flag.removeprefix("--").replace("-", "_"), None) for flag in flags}


def import_command(settings: Settings, options: argparse.Namespace) -> Command:
    """The function that carries the command out. Raises `MissingExtra` when a package for it is not installed."""
    names_server = settings.redis.url or settings.kafka.brokers or settings.mongo.url
    with require_extra("production" if names_server else options.extra), _pause_collector():
        import_module(settings.backend)  # the library of the event loop
        module, _, function = options.run.partition(":")
        command: Command = getattr(import_module(module), function)
        return command


@contextmanager
def _pause_collector() -> Iterator[None]:
    """Modules are there to stay: to look for garbage among them again and again is a tenth of a start."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _run_command(command: Command, settings: Settings, options: argparse.Namespace) -> int:
    import anyio

    from chat.errors import RookeryError

    uvloop = settings.backend == "uvloop"
    backend = "asyncio" if uvloop else settings.backend
    backend_options = {"use_uvloop": True} if uvloop else {}
    expected_kinds = (RookeryError, SettingsError, OSError, KeyboardInterrupt)
    try:
        return anyio.run(command, settings, options, backend=backend, backend_options=backend_options)
    except KeyboardInterrupt:
        return 130
    except expected_kinds as error:
        return _report([error])
    except BaseExceptionGroup as group:
        expected, defects = group.split(expected_kinds)
        if defects is not None or expected is None:
            raise
        return _report(list(_list_leaves(expected)))


def _list_leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _list_leaves(error)
        else:
            yield error


def _report(errors: Sequence[BaseException]) -> int:
    """Print the reasons why the command failed, a line each; the exit code."""
    text = "; ".join(str(error) or type(error).__name__ for error in errors)
    for line in text.splitlines():
        print(f"rookery: {line}", file=sys.stderr)
    return 2 if any(isinstance(error, MissingExtra) for error in errors) else 1


def _prepare_process(settings: Settings, number: int | None) -> None:
    """Set what concerns the whole process: open files, the garbage collector, the log, whose lines say its number."""
    import logging
    import resource

    from rookery.cli.log_format import make_formatter
    from rookery.cli.stderr import LineWriter

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # Sessions live long and hold no cycles: a full collection that visits all of them again and again finds nothing.
    gc.set_threshold(10_000, 20, 100)
    writer = LineWriter()
    writer.setFormatter(make_formatter(settings.log_format, number))
    logging.basicConfig(handlers=[writer], level=settings.log_level.upper())
    logging.captureWarnings(capture=True)
