"""`rookery admin drain`: ends a server on this machine without losing anything, and waits until it is gone.

The signal goes by a descriptor of the process (pidfd_open(2)), so it never reaches another one that got the number
meanwhile.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio

from chat.domain.audit_notes import NoteCode, make_note
from chat.errors import NotFound, Unavailable
from chat.settings import Settings
from rookery.cli.operator import note_beside_store, print_json

_ROLES = frozenset({"serve", "edge", "auth", "chat", "moderation", "worker"})
_AFTER_DRAIN_S = 30.0
"""A supervisor of several edges takes longer than the drain of one; what hangs is killed by it."""


async def drain_process(settings: Settings, options: argparse.Namespace) -> int:
    """Send SIGTERM to a server, and wait until it has ended: 0 then, 1 when it still runs after the time.

    Raises `NotFound` for what is no server of Rookery, `Unavailable` where the system cannot do it.
    """
    seconds = settings.edge.drain_seconds + _AFTER_DRAIN_S if options.seconds is None else options.seconds
    descriptor = _open_process(options.pid)
    try:
        role = _read_role(options.pid)
        if role is None:
            raise NotFound(f"the process {options.pid} is no server of Rookery; ps -ef | grep rookery shows them")
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        except PermissionError:
            raise Unavailable(f"the process {options.pid} is of another account: use sudo") from None
        except ProcessLookupError:
            raise NotFound(f"the process {options.pid} has just ended by itself") from None
        ended = await _wait_for_end(descriptor, seconds)
    finally:
        os.close(descriptor)
    code = NoteCode.DRAINED if ended else NoteCode.DRAIN_BEGUN
    note = make_note(code, role=role, pid=options.pid, host=socket.gethostname())
    await note_beside_store(settings, note)
    if options.json:
        print_json({"pid": options.pid, "role": role, "ended": ended})
    else:
        state = "has drained and ended" if ended else f"still drains after {seconds:g} s; a second signal ends it"
        print(f"{role}, process {options.pid}, {state}", file=sys.stderr)
    return 0 if ended else 1


def find_role(command: Sequence[str]) -> str | None:
    """The role that this command line runs; None for what is no server of Rookery."""
    for place, word in enumerate(command[:-1]):
        if Path(word).name == "rookery" and command[place + 1] in _ROLES:  # a script, or what follows -m
            return command[place + 1]
    return None


def _open_process(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except AttributeError:
        raise Unavailable("only Linux can do this; send SIGTERM to the process by hand") from None
    except ProcessLookupError:
        raise NotFound(f"there is no process {pid}") from None
    except OSError as error:
        raise Unavailable(f"the process {pid} cannot be reached: {error.strerror}") from None


def _read_role(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None  # it ended, or hides
    return find_role(text.decode(errors="replace").split("\0"))


async def _wait_for_end(descriptor: int, seconds: float) -> bool:
    """Whether the process ended in time. A descriptor of a process is readable when that has ended."""
    with anyio.move_on_after(seconds):
        await anyio.wait_readable(descriptor)
        return True
    return False
