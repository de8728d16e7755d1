"""The chat page: its sources in `app/`, and what `scripts/web` builds of them in `static/`, which is what is served."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).resolve().parent / "static"
"""The folder whose files are served at `/`; `index.html` is the page."""
