"""Autobahn's test suite for servers of RFC 6455, against the edge's own WebSocket: see `scripts/autobahn`."""
