"""The commands of `rookery admin`: users, their log-ins, rooms, invitations, the audit log, keys.

Each takes `--json`, and then prints one JSON document.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rookery.cli.arguments import MOST_LISTED, MOST_USES, parse_count, parse_days
from rookery.cli.commands import add_command, add_group

_PAGE = 100


def add_admin_tools(admin: Any) -> None:
    """All of them but `seed`."""
    _add_user_tools(add_group(admin, "user", "manage users"))
    _add_session_tools(add_group(admin, "session", "manage the log-ins of users"))
    _add_room_tools(add_group(admin, "room", "manage rooms"))
    _add_invitation_tools(add_group(admin, "invitation", "manage the invitations to rooms"))
    _add_key_tools(add_group(admin, "key", "manage the keys that sign tokens"))
    audit = _add_tool(admin, "audit", "show what was done, and by whom, the newest first", "audit:list_entries")
    audit.add_argument("--user", metavar="NAME", help="only what concerns this user")
    audit.add_argument("--before", metavar="ID", help="only what is older than the entry with this id")
    _add_limit(audit)
    drain = _add_tool(admin, "drain", "end a server on this machine, losing nothing", "draining:drain_process")
    drain.add_argument("pid", type=parse_count(2**22), metavar="PID", help="the process of `serve`, or of a role")
    drain.add_argument("--seconds", type=parse_count(86_400), metavar="N", help="how long to wait for its end")


def _add_tool(commands: Any, name: str, text: str, run: str) -> argparse.ArgumentParser:
    tool = add_command(commands, name, text, run, "server")
    tool.add_argument("--json", action="store_true", help="print JSON")
    return tool


def _add_limit(tool: argparse.ArgumentParser) -> None:
    tool.add_argument(
        "--limit", type=parse_count(MOST_LISTED), default=_PAGE, metavar="N", help=f"at most so many (default {_PAGE})"
    )


def _add_user_tools(users: Any) -> None:
    found = _add_tool(users, "list", "show users by name", "users:list_users")
    found.add_argument("--prefix", default="", metavar="P", help="only names that begin so")
    found.add_argument(
        "--with-role", action="store_true", help="only owners and moderators of the instance, all of them"
    )
    found.add_argument("--after", default="", metavar="NAME", help="only names after this one")
    _add_limit(found)
    create = _add_tool(users, "create", "create a user; the password is read", "users:create_user")
    create.add_argument("--email", metavar="ADDRESS", help="the user's e-mail address")
    create.add_argument("--owner", action="store_true", help="make the user an owner of the instance")
    text = "make a user an owner or a moderator of the instance, or neither"
    set_role = _add_tool(users, "set-role", text, "users:set_role")
    text = "give a user another password, which is read, and end all log-ins of the user"
    set_password = _add_tool(users, "set-password", text, "users:set_password")
    text = "print a link by which a user sets another password, once, within an hour"
    reset_link = _add_tool(users, "reset-link", text, "users:print_reset_link")
    delete = _add_tool(users, "delete", "delete a user, with all messages of the user", "users:delete_user")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    block = _add_tool(users, "block", "keep a user out, and end all log-ins of the user", "users:block_user")
    block.add_argument("--days", type=parse_days, metavar="N", help="for so many days (by default until it is ended)")
    unblock = _add_tool(users, "unblock", "let a user log in again", "users:unblock_user")
    show = _add_tool(users, "show", "show a user, with the rooms of the user", "users:show_user")
    export = _add_tool(
        users, "export", "write a copy of all that is known of a user, as JSON lines", "export:export_user"
    )
    export.add_argument("--output", type=Path, metavar="FILE", help="a new file (by default standard output)")
    for command in (create, set_password, reset_link, delete, block, unblock, show, export, set_role):
        command.add_argument("name", metavar="NAME", help="the user's name")
    roles = ("owner", "moderator", "none")
    set_role.add_argument("role", metavar="ROLE", choices=roles, help="owner, moderator or none")
    for command in (create, set_password):
        command.add_argument("--generate", action="store_true", help="choose a random password, and print it")
    for command in (block, unblock):
        command.add_argument("--reason", default="", metavar="TEXT", help="why; the user reads it")


def _add_session_tools(sessions: Any) -> None:
    found = _add_tool(sessions, "list", "show the log-ins of a user that are open", "users:list_sessions")
    end = _add_tool(sessions, "end", "end a log-in of a user, or all of them", "users:end_sessions")
    for command in (found, end):
        command.add_argument("name", metavar="NAME", help="the user's name")
    end.add_argument("session", nargs="?", metavar="ID", help="the log-in's id; without it, all of them")


def _add_room_tools(rooms: Any) -> None:
    found = _add_tool(rooms, "list", "show all rooms by id", "rooms:list_rooms")
    found.add_argument("--after", default="", metavar="ID", help="only ids after this one")
    show = _add_tool(rooms, "show", "show a room", "rooms:show_room")
    members = _add_tool(rooms, "members", "show the members of a room by name", "rooms:list_members")
    members.add_argument("--after", default="", metavar="NAME", help="only names after this one")
    for command in (found, members):
        _add_limit(command)
    delete = _add_tool(rooms, "delete", "delete a room, with all its messages", "rooms:delete_room")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    set_owner = _add_tool(rooms, "set-owner", "make a user an owner of a room", "rooms:set_owner")
    for command in (show, members, delete, set_owner):
        command.add_argument("room", metavar="ROOM", help="the room's id")
    set_owner.add_argument("name", metavar="NAME", help="the user's name")


def _add_invitation_tools(invitations: Any) -> None:
    create = _add_tool(invitations, "create", "make an invitation, and print its token", "rooms:create_invitation")
    found = _add_tool(invitations, "list", "show the open invitations to a room", "rooms:list_invitations")
    end = _add_tool(invitations, "end", "end an invitation", "rooms:end_invitation")
    for command in (create, found, end):
        command.add_argument("room", metavar="ROOM", help="the room's id")
    end.add_argument("invitation", metavar="ID", help="the invitation's id")
    create.add_argument("--by", required=True, metavar="NAME", help="the moderator or owner of the room who invites")
    create.add_argument("--role", default="member", choices=("owner", "moderator", "member", "reader"))
    create.add_argument("--days", type=parse_days, default=7, metavar="N", help="how long it is open (default 7)")
    create.add_argument(
        "--uses", type=parse_count(MOST_USES), metavar="N", help="how many users may come by it (by default any number)"
    )


def _add_key_tools(keys: Any) -> None:
    _add_tool(keys, "list", "show the keys that verify tokens", "audit:list_keys")
    _add_tool(keys, "rotate", "add a key, which signs at once", "audit:rotate_keys")
