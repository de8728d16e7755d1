"""How bytes for many sockets leave: in one batch, where this machine can, or socket by socket.

Three ways, each the fallback of the one before it:

    io_uring   one entry into the kernel for up to 512 sends (Linux 6.1 or later, and not forbidden there)
    loop       a loop of `send` in C: one call from Python for the batch
    python     `socket.send` for each socket; needs nothing but Python

The first two are in `gateway/native/sends.c`, which the installation builds where it finds a C compiler.

Rule 1: a batch waits for nobody. What a peer does not take at once is reported, and stays with its connection.
Rule 2: a way that is not to be had is no error: the next one serves, with the same results.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from types import ModuleType
from typing import Literal, Protocol

logger = logging.getLogger(__name__)
SendWay = Literal["io_uring", "loop", "python"]
WantedWay = Literal["auto", "io_uring", "loop", "python"]
_LEAST_IN_RING = 24
_LEAST_IN_LOOP = 3


class BatchSend(Protocol):
    """Sends `data` (the same for all, or bytes for each) to non-blocking sockets, in this order.

    Returns (index, result) for each send that did not send everything: the bytes that were sent, or a negative errno
    (EAGAIN: none, for now). Raises nothing that depends on a peer.
    """

    def __call__(self, fds: Sequence[int], data: bytes | Sequence[bytes], /) -> list[tuple[int, int]]: ...


class BatchSends:
    """Batches of sends. `way` says how they leave; batches of fewer than `least` sockets cost less one by one."""

    __slots__ = ("_loop", "_ring", "_ring_least", "least", "way")

    def __init__(self, native: ModuleType, *, ring: bool, least: int | None = None) -> None:
        """Raises `OSError` if `ring` is wanted, and the machine has none to give."""
        self._loop: BatchSend = native.send_batch
        self._ring = native.Ring() if ring else None
        self._ring_least = _LEAST_IN_RING if least is None else least
        self.least = _LEAST_IN_LOOP if least is None else least
        self.way: SendWay = "io_uring" if ring else "loop"

    def send_batch(self, fds: Sequence[int], data: bytes | Sequence[bytes]) -> list[tuple[int, int]]:
        """See `BatchSend`. Belongs to the thread that made this object."""
        if self._ring is not None and len(fds) >= self._ring_least:
            unsent: list[tuple[int, int]] = self._ring.send_batch(fds, data)
            return unsent
        return self._loop(fds, data)

    def close(self) -> None:
        """Give the ring back."""
        if self._ring is not None:
            self._ring.close()
            self._ring = None


def find_native() -> ModuleType | None:
    """The module in C, if the installation has built it."""
    try:
        from gateway import _sends
    except ImportError:
        return None
    return _sends


def open_sends(wanted: WantedWay = "auto", native: ModuleType | None = None) -> BatchSends | None:
    """The wanted way, or the next one that is to be had (rule 2); None for `python`. `native` is the module in C, by
    default that of this installation."""
    native = native or find_native()
    if wanted == "python" or native is None:
        return None
    if wanted != "loop":
        try:
            sends = BatchSends(native, ring=True)
            _probe(sends)
        except (OSError, AttributeError) as error:  # forbidden, too old, or no Linux
            logger.debug("io_uring is not to be had: %s", error)
        else:
            return sends
    return BatchSends(native, ring=False)


def describe_sends(sends: BatchSends | None) -> str:
    """How bytes leave, for the operator: what follows on "bytes for many clients leave"."""
    if sends is None:
        return "socket by socket, from Python"
    return "in batches, through io_uring" if sends.way == "io_uring" else "in batches, with a loop of send"


def _probe(sends: BatchSends) -> None:
    """Raises `OSError` if what is sent through the ring does not arrive: some sandboxes allow it, and no operation."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        ours.setblocking(False)
        unsent = sends.send_batch([ours.fileno()] * _LEAST_IN_RING, b"x")
        if unsent or theirs.recv(100) != b"x" * _LEAST_IN_RING:
            sends.close()
            raise OSError("a send through the ring did not arrive")
