"""Bytes that cross a process border: client frames, log records, relay payloads. Each has one module."""
