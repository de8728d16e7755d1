"""The settings of the WebSocket edge. See `groups` for how a field becomes a variable."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from chat.settings.values import Address, Setting


class EdgeSettings(Struct, frozen=True, kw_only=True):
    """The WebSocket edge."""

    address: Annotated[Address, Setting("the address of the edge", variable="WS", flag="--ws")] = Address(
        "127.0.0.1", 8001
    )
    origins: Annotated[
        tuple[str, ...],
        Setting(
            "origins whose pages may connect and call REST (CORS), such as `https://chat.example.org`; `*` for all; by "
            "default the host that is called",
            pattern=r"\*|null|[A-Za-z][\w+.-]*://[^/\s]+",
            hint="origins such as https://chat.example.org, without a path, or *",
        ),
    ] = ()
    heartbeat_seconds: Annotated[
        float, Setting("silence after which a client is pinged; after twice that it counts as gone", ge=0.05)
    ] = 25.0
    auth_seconds: Annotated[float, Setting("time for `auth`", gt=0)] = 10.0
    handshake_seconds: Annotated[float, Setting("time for the opening handshake", gt=0)] = 10.0
    close_seconds: Annotated[float, Setting("time for the close handshake", gt=0)] = 5.0
    drain_seconds: Annotated[float, Setting("time for a drain", ge=0)] = 20.0
    drain_jitter_seconds: Annotated[
        float | None,
        Setting(
            "over which the reconnects are spread that a drain causes; by default over all of `ROOKERY_DRAIN_SECONDS` "
            "for `rookery edge`, whose clients other edges serve meanwhile, and as all reconnects for `rookery serve`",
            ge=0,
        ),
    ] = None
    reconnect_jitter_seconds: Annotated[float, Setting("over which reconnects are spread", ge=0)] = 5.0
    presence_damping_seconds: Annotated[
        float, Setting("after which a departure shows, so that a reconnect does not flicker", ge=0)
    ] = 1.0
    access_cache_seconds: Annotated[
        float,
        Setting(
            "how long an edge relies on the rights that it has read, when no announcement of a change reaches it", ge=0
        ),
    ] = 60.0
    deflate: Annotated[bool, Setting("whether clients may have frames compressed")] = True
    writes: Annotated[
        Literal["auto", "io_uring", "loop", "python"],
        Setting(
            "how bytes for many clients leave: `io_uring` in batches through the kernel's ring, `loop` with a loop of "
            "`send` in C, `python` socket by socket; what this machine cannot do is replaced by the next of these; "
            "`auto` takes the fastest that it can do",
            variable="EDGE_WRITES",
        ),
    ] = "auto"
    reuse_port: Annotated[bool, Setting("let several processes listen on the address of the edge")] = False
    max_connections: Annotated[int, Setting("open sessions; above that, handshakes get 503", ge=1)] = 50_000
    max_handshakes: Annotated[int, Setting("half-open handshakes; of more, the oldest is closed", ge=1)] = 5_000
