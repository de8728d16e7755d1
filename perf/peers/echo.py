"""The edge's WebSocket layer as an echo server, on uvloop: what `rookery-echo` runs. Environment: PORT."""

from __future__ import annotations

import os

import anyio

from gateway.multiplexer import Multiplexer
from gateway.sends import open_sends
from scripts.lib.autobahn.echo_server import EchoListener


async def serve_echo() -> None:
    """Serve for ever."""
    multiplexer = Multiplexer(open_sends())
    EchoListener(multiplexer, int(os.environ["PORT"]))
    await multiplexer.run()


if __name__ == "__main__":
    anyio.run(serve_echo, backend_options={"use_uvloop": True})
