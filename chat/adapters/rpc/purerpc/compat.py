"""What we use of purerpc 0.8, which was written for h2 3 and works on h2 4 with one name put back.

Import its names from here, so that the name is there first.
"""

from __future__ import annotations

import h2.events

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
]
