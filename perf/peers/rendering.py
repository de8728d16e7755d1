"""PNGs beside the plots in SVG, for documents that show no SVG: a browser without a window draws them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SIZE = re.compile(r'viewBox="0 0 (\d+) (\d+)"')
_SECONDS = 60


def find_browser() -> str | None:
    """The browser that draws; None where there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def read_size(drawn: str) -> tuple[int, int]:
    """Width and height of an SVG, in pixels. Raises `ValueError` when it tells none."""
    found = _SIZE.search(drawn)
    if found is None:
        raise ValueError("the SVG has no viewBox that begins at 0 0")
    return int(found[1]), int(found[2])


def render_plots(plots: Iterable[Path], browser: str) -> list[Path]:
    """A PNG beside each plot, of twice its size, on a light page; those that were drawn."""
    drawn = []
    for plot in plots:
        width, height = read_size(plot.read_text())
        target = plot.with_suffix(".png")
        with tempfile.TemporaryDirectory(prefix="rookery-plot-") as profile:
            command = [
                browser, "--headless", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}",
                "--force-device-scale-factor=2", "--blink-settings=preferredColorScheme=1",
                f"--window-size={width},{height}", f"--screenshot={target}", plot.resolve().as_uri(),
            ]  # fmt: skip
            if hasattr(os, "geteuid") and os.geteuid() == 0:
                command.insert(1, "--no-sandbox")  # root's Chromium starts in no other way
            subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
        drawn.append(target)
    return drawn
