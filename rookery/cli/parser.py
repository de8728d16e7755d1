"""The commands of the command line, their flags and their help.

Rule 1: nothing is imported here but the settings, so `--help` answers at once, and also without the extra `server`.
Rule 2: a command is named by its module and function, and imported when it is chosen.
Rule 3: the flag of a setting takes its choices, its default and its help from the setting.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import rookery
from chat.settings import Extra, list_variables

_POOLS = ("persistence", "moderation", "notification")


def make_parser() -> argparse.ArgumentParser:
    """The parser. Its result has `run`, the `MODULE:FUNCTION` of the command, and `extra`, what that needs."""
    parser = argparse.ArgumentParser(prog="rookery", description="A chat system around a WebSocket gateway.")
    parser.add_argument("--version", action="version", version=f"rookery {rookery.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_roles(commands)
    _add_tools(commands)
    return parser


def _add_roles(commands: Any) -> None:
    serve = _add_command(commands, "serve", "run everything in one process", "roles:run_serve", "server")
    edge = _add_command(commands, "edge", "run the WebSocket edge alone", "roles:run_edge")
    auth = _add_command(commands, "auth", "run the REST of accounts alone", "roles:run_auth")
    chat = _add_command(commands, "chat", "run all other REST, and the web page", "roles:run_chat")
    moderation = _add_command(
        commands, "moderation", "run the moderation service and its REST", "roles:run_moderation_service"
    )
    worker = _add_command(commands, "worker", "run worker pools", "roles:run_worker")
    worker.add_argument("names", nargs="+", choices=_POOLS, metavar="NAME", help=f"one or more of {', '.join(_POOLS)}")
    for role in (serve, edge, auth, chat, moderation, worker):
        _add_setting(role, "--http", metavar="HOST:PORT")
    for role in (serve, edge):
        _add_setting(role, "--ws", metavar="HOST:PORT")


def _add_tools(commands: Any) -> None:
    topics = _add_group(commands, "topics", "manage Kafka's topics")
    apply = _add_command(topics, "apply", "make Kafka's topics as the settings say", "topics:apply_topics")
    _add_topics_flags(apply)
    letters = _add_group(commands, "dead-letters", "manage records that could not be handled")
    run = "dead_letters:replay_dead_letters"
    replay = _add_command(letters, "replay", "put dead letters back into their topic", run, "server")
    _add_letters_flags(replay)
    databases = _add_group(commands, "db", "manage the database")
    text = "bring the database in MongoDB to the format of this version"
    _add_command(databases, "migrate", text, "db:migrate_database")
    text = "let clients know that a backup was restored, before the roles are started"
    _add_command(databases, "restored", text, "db:note_restore", "server")
    admin = _add_group(commands, "admin", "tools for administrators")
    _add_user_tools(admin)
    rooms = _add_group(admin, "room", "manage rooms")
    set_owner = _add_command(rooms, "set-owner", "make a user an owner of a room", "users:set_owner", "server")
    set_owner.add_argument("room", metavar="ROOM", help="the room's id")
    set_owner.add_argument("name", metavar="NAME", help="the user's name")
    seed = _add_command(admin, "seed", "create users and rooms, and write their tokens", "seed:seed_store", "server")
    _add_seed_flags(seed)


def _add_user_tools(admin: Any) -> None:
    users = _add_group(admin, "user", "manage users")
    create = _add_command(users, "create", "create a user; the password is read", "users:create_user", "server")
    create.add_argument("--email", metavar="ADDRESS", help="the user's e-mail address")
    text = "give a user another password, which is read, and end all log-ins of the user"
    set_password = _add_command(users, "set-password", text, "users:set_password", "server")
    text = "delete a user, with all messages of the user"
    delete = _add_command(users, "delete", text, "users:delete_user", "server")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    for command in (create, set_password, delete):
        command.add_argument("name", metavar="NAME", help="the user's name")
    for command in (create, set_password):
        command.add_argument("--generate", action="store_true", help="choose a random password, and print it")


def _add_group(commands: Any, name: str, text: str) -> Any:
    return commands.add_parser(name, help=text, description=text).add_subparsers(required=True, metavar="TOOL")


def _add_command(commands: Any, name: str, text: str, run: str, extra: Extra = "production") -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    _add_setting(parser, "--data", metavar="DIR")
    _add_setting(parser, "--backend")
    _add_setting(parser, "--log-level")
    parser.set_defaults(run=f"rookery.cli.{run}", extra=extra)  # rule 2
    return parser


def _add_setting(parser: argparse.ArgumentParser, flag: str, *, metavar: str | None = None) -> None:
    variable = next(each for each in list_variables() if each.setting.flag == flag)  # rule 3
    choices = get_args(variable.kind) if get_origin(variable.kind) is Literal else None
    description = variable.setting.description.replace("`", "")
    parser.add_argument(flag, metavar=metavar, choices=choices, help=f"{description} (default {variable.default})")


def _add_topics_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--raise-partitions",
        action="store_true",
        help="add the missing partitions; conversations move to other partitions then, so drain first",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what differs, and change nothing")


def _add_letters_flags(parser: argparse.ArgumentParser) -> None:
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
