"""The WebSocket edge: one multiplexer task per process, sessions that are not tasks, and fan-out that writes once."""
