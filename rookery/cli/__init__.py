"""The command line: `rookery serve`, one command for each role, and the administrator's tools."""

from rookery.cli.main import main

__all__ = ["main"]
