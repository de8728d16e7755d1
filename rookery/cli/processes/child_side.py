"""What an edge does that runs under a supervisor: it takes its socket, and leaves when the supervisor lets go of it."""

from __future__ import annotations

import logging
import os
import signal
import socket

import anyio
from anyio.abc import TaskStatus

from chat.settings import SettingsError
from gateway.edge import Edge
from services.common.health import Health

logger = logging.getLogger("rookery.processes")
_STDIN = 0


def take_listener(fd: int) -> socket.socket:
    """The listening socket that the supervisor opened. Raises `SettingsError` when there is none."""
    try:
        sock = socket.socket(fileno=fd)
    except OSError as error:
        raise SettingsError(f"--listener={fd}: {error.strerror}; only `rookery edge --processes` gives it") from None
    sock.setblocking(False)
    return sock


async def watch_supervisor(edge: Edge, health: Health, *, task_status: TaskStatus[None]) -> None:
    """Wait until standard input ends: the supervisor has given the socket to another process, or was killed. Then leave
    the socket, and drain as at SIGTERM."""
    task_status.started()
    while True:
        await anyio.wait_readable(_STDIN)
        if not os.read(_STDIN, 4096):
            break
    if not health.draining:  # a second signal would end the drain
        logger.info("the supervisor lets this process go")
        edge.stop_accepting()
        signal.raise_signal(signal.SIGTERM)
    await anyio.sleep_forever()
