"""The patches with which purerpc 0.8 runs on h2 4, and what we use of purerpc: import its names from here alone.

Each patch stands here with its reason, and `tests/chat/adapters/rpc/purerpc/test_patches.py` fails, and says so, once
the installed versions do without it. Two more are purerpc's own: on import it replaces two methods of h2, and two
entries of its table of states, for the whole process; what they do for others stays as it was.
"""

from __future__ import annotations

from typing import Any

import h2.connection
import h2.events

# purerpc names this event in an annotation that is read at import. h2 4 calls it `PingAckReceived`; the first patch
# puts the old name back, and so has to stand before purerpc is imported.
h2.events.PingAcknowledged = h2.events.PingAckReceived  # type: ignore[attr-defined]

from purerpc.grpclib.buffers import MessageReadBuffer  # noqa: E402
from purerpc.grpclib.config import GRPCConfiguration  # noqa: E402
from purerpc.grpclib.connection import GRPCConnection  # noqa: E402
from purerpc.grpclib.events import MessageReceived, RequestReceived, WindowUpdated  # noqa: E402
from purerpc.grpclib.exceptions import GRPCError, MessageTooLargeError  # noqa: E402
from purerpc.grpclib.headers import HeaderDict  # noqa: E402
from purerpc.grpclib.status import Status, StatusCode  # noqa: E402

__all__ = [
    "GRPCConfiguration",
    "GRPCConnection",
    "GRPCError",
    "HeaderDict",
    "MessageReadBuffer",
    "MessageReceived",
    "MessageTooLargeError",
    "RequestReceived",
    "Status",
    "StatusCode",
    "WindowUpdated",
    "survive_goaway",
]


def survive_goaway(connection: h2.connection.H2Connection) -> None:
    """The second patch: go on reading after the peer's GOAWAY.

    h2 takes the whole connection for closed then, drops what was still to be sent, and takes each later frame for an
    error. But a server that stops says GOAWAY first, and then answers what it has taken (RFC 9113, section 6.8). h2 has
    no setting for it, so the entry of this one connection's table of frames is replaced.
    """
    table: dict[type[Any], Any] = connection._frame_dispatch_table
    (kind,) = (kind for kind in table if kind.__name__ == "GoAwayFrame")
    table[kind] = _receive_goaway


def _receive_goaway(frame: Any) -> tuple[list[Any], list[h2.events.Event]]:
    event = h2.events.ConnectionTerminated()
    event.last_stream_id = frame.last_stream_id
    return [], [event]
