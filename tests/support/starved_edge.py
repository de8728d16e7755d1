"""A process with an edge that may open few files. Says its port and a token, and serves until its input ends."""

from __future__ import annotations

import resource
import sys

import anyio
import anyio.to_thread

from gateway.acceptor import Acceptor, bind_listener
from tests.support.world import world

FILES = 64


async def main() -> None:
    async with world(handshake_seconds=60.0) as here:
        ada = await here.user("ada")
        sock = bind_listener("127.0.0.1", 0)
        Acceptor(here.edge.node, sock)
        await anyio.to_thread.run_sync(lambda: None)  # opens what it needs before files are short
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
        print(sock.getsockname()[1], here.token(ada), flush=True)
        await anyio.to_thread.run_sync(sys.stdin.read)
        print(
            here.edge.node.counters.connections,
            len(here.edge.node.registry.openings),
            len(here.edge.node.registry.sessions),
            flush=True,
        )


if __name__ == "__main__":
    anyio.run(main, backend=sys.argv[1], backend_options={"use_uvloop": True} if sys.argv[2:] else {})
