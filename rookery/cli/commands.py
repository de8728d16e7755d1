"""How a command is added to the command line.

Rule 1: a command is named by its module and function, and imported when it is chosen.
Rule 2: the flag of a setting takes its choices, its default and its help from the setting.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from chat.settings import Extra, list_variables
from rookery.cli.arguments import parse_text


def add_group(commands: Any, name: str, text: str) -> Any:
    """A command that has commands of its own; where those are added."""
    return commands.add_parser(name, help=text, description=text).add_subparsers(required=True, metavar="TOOL")


def add_command(commands: Any, name: str, text: str, run: str, extra: Extra = "production") -> argparse.ArgumentParser:
    """A command that runs the function `MODULE:FUNCTION` of `rookery.cli`, which needs this extra."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.register("type", None, parse_text)  # of every argument that names no other type
    add_setting(parser, "--data", metavar="DIR")
    add_setting(parser, "--backend")
    add_setting(parser, "--log-level")
    text = "a file of variables, one ROOKERY_NAME=VALUE a line; the environment wins over it"
    parser.add_argument("--settings", type=Path, metavar="FILE", help=text)
    parser.set_defaults(run=f"rookery.cli.{run}", extra=extra, checks_settings=False)  # rule 1
    return parser


def add_setting(parser: argparse.ArgumentParser, flag: str, *, metavar: str | None = None) -> None:
    """The flag of a setting."""
    variable = next(each for each in list_variables() if each.setting.flag == flag)  # rule 2
    choices = get_args(variable.kind) if get_origin(variable.kind) is Literal else None
    description = variable.setting.description.replace("`", "")
    parser.add_argument(flag, metavar=metavar, choices=choices, help=f"{description} (default {variable.default})")
