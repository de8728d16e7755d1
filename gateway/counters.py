"""What the edge counts. They are plain integers, so counting costs little; metrics read them when somebody asks."""

from __future__ import annotations


class Counters:
    """All since the start of the process."""

    __slots__ = (
        "accepted",
        "closed",
        "commands",
        "connections",
        "deliveries",
        "handshake_timeouts",
        "live_dropped",
        "refused",
        "too_slow",
        "vanished",
    )

    def __init__(self) -> None:
        self.connections = 0
        self.refused = 0
        self.handshake_timeouts = 0
        self.commands = 0
        self.deliveries = 0
        self.accepted = 0
        self.live_dropped = 0
        self.too_slow = 0
        self.vanished = 0
        self.closed: dict[int, int] = {}

    def count_close(self, code: int) -> None:
        """A close that this side began."""
        self.closed[code] = self.closed.get(code, 0) + 1
