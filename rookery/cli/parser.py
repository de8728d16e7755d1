"""The commands of the command line, their flags and their help.

Rule 1: nothing is imported here but the settings, so `--help` answers at once, and also without the extra `server`.
Rule 2: a command is named by its module and function, and imported when it is chosen.
`admin_parser` has those of `rookery admin`, and `commands` what both share.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import rookery
from rookery.cli.admin_parser import add_admin_tools
from rookery.cli.commands import add_command, add_group, add_setting

_POOLS = ("persistence", "moderation", "notification")
MOST_PROCESSES = 256


def make_parser() -> argparse.ArgumentParser:
    """The parser. Its result has `run`, the `MODULE:FUNCTION` of the command, and `extra`, what that needs."""
    parser = argparse.ArgumentParser(prog="rookery", description="A chat system around a WebSocket gateway.")
    parser.add_argument("--version", action="version", version=f"rookery {rookery.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_roles(commands)
    _add_tools(commands)
    return parser


def _add_roles(commands: Any) -> None:
    serve = add_command(commands, "serve", "run everything in one process", "roles.serve:run_serve", "server")
    edge = add_command(commands, "edge", "run the WebSocket edge alone", "roles.edge:run_edge")
    auth = add_command(commands, "auth", "run the REST of accounts alone", "roles.rest:run_auth")
    chat = add_command(commands, "chat", "run all other REST, and the web page", "roles.rest:run_chat")
    moderation = add_command(
        commands, "moderation", "run the moderation service and its REST", "roles.rest:run_moderation_service"
    )
    worker = add_command(commands, "worker", "run worker pools", "roles.worker:run_worker")
    worker.add_argument("names", nargs="+", choices=_POOLS, metavar="NAME", help=f"one or more of {', '.join(_POOLS)}")
    for role in (serve, edge, auth, chat, moderation, worker):
        add_setting(role, "--http", metavar="HOST:PORT")
    for role in (serve, edge):
        add_setting(role, "--ws", metavar="HOST:PORT")
    _add_processes_flags(edge)


def _add_processes_flags(edge: argparse.ArgumentParser) -> None:
    text = (
        "run N edges on the one port, each in a process of its own; `auto` for as many as there are cores (default 1, "
        "without a supervisor). A process that ends is started again; SIGUSR1 replaces them one after the other"
    )
    edge.add_argument("--processes", type=_parse_processes, default=1, metavar="N", help=text)
    # For the processes themselves, from their supervisor.
    edge.add_argument("--listener", type=int, metavar="FD", help=argparse.SUPPRESS)
    edge.add_argument("--process-number", type=int, metavar="K", help=argparse.SUPPRESS)


def _parse_processes(text: str) -> int:
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MOST_PROCESSES:
        raise argparse.ArgumentTypeError(f"give a number from 1 to {MOST_PROCESSES}, or auto, and not {text!r}")
    return int(text)


def _add_tools(commands: Any) -> None:
    config = add_group(commands, "config", "check the configuration")
    text = "check all settings, of the environment and of --settings, and say all that is wrong"
    check = add_command(config, "check", text, "config:check_config", "server")
    check.set_defaults(checks_settings=True)  # it says more than what stops every other command
    _add_log_tools(commands)
    databases = add_group(commands, "db", "manage the database")
    text = "bring the database in MongoDB to the format of this version"
    migrate = add_command(databases, "migrate", text, "db:migrate_database")
    text = "copy the embedded database to a new file, also while the server runs"
    backup = add_command(databases, "backup", text, "backup:back_up_database", "server")
    backup.add_argument("file", type=Path, metavar="FILE", help="the copy, which holds messages and keys")
    text = "let clients know that a backup was restored, before the roles are started"
    restored = add_command(databases, "restored", text, "db:note_restore", "server")
    for command in (migrate, backup, restored):
        command.add_argument("--json", action="store_true", help="print JSON")
    mail = add_group(commands, "mail", "what a mail server calls")
    text = "read a mail that came back from standard input; two hard bounces suppress an address"
    add_command(mail, "bounce", text, "bounces:note_bounce", "server")
    vapid = add_group(commands, "vapid", "manage the keys of push")
    text = "make a key by which push services know the server, and print the setting"
    generate = add_command(vapid, "generate", text, "vapid:generate_vapid_key", "server")
    generate.add_argument("--save", action="store_true", help="put it before the others in the data folder instead")
    admin = add_group(commands, "admin", "tools for administrators")
    add_admin_tools(admin)
    _add_log_tools(admin)  # under both names, because administrators look for them here
    seed = add_command(admin, "seed", "create users and rooms, and write their tokens", "seed:seed_store", "server")
    _add_seed_flags(seed)


def _add_log_tools(commands: Any) -> None:
    topics = add_group(commands, "topics", "manage Kafka's topics")
    apply = add_command(topics, "apply", "make Kafka's topics as the settings say", "topics:apply_topics")
    _add_topics_flags(apply)
    letters = add_group(commands, "dead-letters", "manage records that could not be handled")
    run = "dead_letters:replay_dead_letters"
    replay = add_command(letters, "replay", "put dead letters back into their topic", run, "server")
    _add_letters_flags(replay)


def _add_topics_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--raise-partitions",
        action="store_true",
        help="add the missing partitions; conversations move to other partitions then, so drain first",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what differs, and change nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_letters_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("topic", metavar="TOPIC", help="the topic that the records come from, such as room-messages")
    parser.add_argument(
        "--dry-run", action="store_true", help="show the dead letters, at most 500 of a partition, and replay nothing"
    )


def _add_seed_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--users", type=int, required=True, metavar="N", help="users to create, without a password")
    parser.add_argument("--rooms", type=int, required=True, metavar="M", help="rooms to create")
    parser.add_argument("--members", type=int, required=True, metavar="K", help="users in each room")
    parser.add_argument("--prefix", default="seed", metavar="P", help="names are P-0, P-1, … (default seed)")
    parser.add_argument("--tokens", type=Path, required=True, metavar="FILE", help="an access token a line, for 24 h")
    parser.add_argument("--room-ids", type=Path, required=True, metavar="FILE", help="a room id a line")
    parser.add_argument("--json", action="store_true", help="print JSON")
