"""A headless Chromium that is measured: started here, and driven by its port."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-port=0",
)
_SECONDS = 60


@contextmanager
def running_chromium(path: str) -> Iterator[int]:
    """A browser that was never used; the port that it is driven by.

    Lighthouse and Playwright would start it in a session of its own, which does not come before the other work of the
    machine: see `session_precedence`.
    """
    with tempfile.TemporaryDirectory(prefix="rookery-chromium-", ignore_cleanup_errors=True) as profile:
        command = [path, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield _read_port(Path(profile, "DevToolsActivePort"), browser)
        finally:
            browser.terminate()
            browser.wait(_SECONDS)


def _read_port(file: Path, browser: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and browser.poll() is None:
        lines = file.read_text().split() if file.exists() else []
        if len(lines) > 1:
            return int(lines[0])
        time.sleep(0.1)
    raise SystemExit("Chromium does not start")
