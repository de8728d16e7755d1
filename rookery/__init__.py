"""Rookery: a chat system around a structured-concurrency WebSocket gateway. `rookery.client` is its client library."""

__version__ = "0.1.0"
