"""The chat page: static files, served as they are. There is no build step."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).resolve().parent / "static"
"""The folder whose files are served at `/`; `index.html` is the page."""
