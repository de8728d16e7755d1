"""Debian's Firefox ESR, driven by Playwright over WebDriver BiDi (https://w3c.github.io/webdriver-bidi/).

Playwright brings a Firefox of its own, but drives any recent one in the channel `moz-firefox`. The ESR does not know a
command yet that Playwright always sends: for the colour scheme. So it speaks through this module, run as a program,
which starts Firefox and answers that command itself; a Firefox that knows it gets it.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

ROOT = Path(__file__).resolve().parents[2]
_LISTENS = b"WebDriver BiDi listening on "
# Commands of which a Firefox may say that it does not know them; nothing of the tests depends on what they do.
_MAY_LACK = {"emulation.setMediaFeaturesOverride"}
# Without a screen Firefox takes it that there is no mouse: one that is fine (2) and hovers (4).
_PREFERENCES: dict[str, str | float | bool] = {"ui.primaryPointerCapabilities": 6, "ui.allPointerCapabilities": 6}


@contextmanager
def launch_firefox(playwright: Playwright, folder: Path) -> Iterator[Browser]:
    """The Firefox that `scripts/firefox` finds or installs; without one the test is skipped."""
    found = subprocess.run([ROOT / "scripts/firefox"], capture_output=True, text=True, timeout=600, check=False)
    if found.returncode:
        pytest.skip("needs Firefox ESR, which cannot be installed here")
    program = folder / "firefox"
    command = shlex.join([sys.executable, "-m", "tests.support.firefox", found.stdout.strip()])
    program.write_text(f'#!/bin/sh\ncd {shlex.quote(str(ROOT))} && exec {command} "$@"\n')
    program.chmod(0o755)
    launch = playwright.firefox.launch
    with launch(channel="moz-firefox", executable_path=program, firefox_user_prefs=_PREFERENCES) as browser:
        yield browser


async def _relay(client: ServerConnection, address: str) -> None:
    """Between Playwright and Firefox: all as it is, but for errors of the commands that it may lack."""
    asked: set[int] = set()

    async def to_firefox(firefox: ClientConnection) -> None:
        async for text in client:
            said: dict[str, Any] = json.loads(text)
            if said["method"] in _MAY_LACK:
                asked.add(said["id"])
            await firefox.send(text)

    async def to_client(firefox: ClientConnection) -> None:
        async for text in firefox:
            said: dict[str, Any] = json.loads(text)
            unknown = said.get("id") in asked and said.get("error") == "unknown command"
            await client.send(json.dumps({"type": "success", "id": said["id"], "result": {}}) if unknown else text)

    async with connect(address + client.request.path, max_size=None) as firefox:  # type: ignore[union-attr]
        both = [asyncio.ensure_future(way(firefox)) for way in (to_firefox, to_client)]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for way in both:
            way.cancel()


async def _run(command: list[str]) -> int:
    """Firefox, until it ends; its exit code."""
    firefox = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert firefox.stderr is not None
    async for line in firefox.stderr:
        if line.startswith(_LISTENS):
            address = line.removeprefix(_LISTENS).decode().strip()
            break
    else:
        return await firefox.wait()
    async with serve(lambda client: _relay(client, address), "127.0.0.1", 0, max_size=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        os.write(2, _LISTENS + f"ws://127.0.0.1:{port}\n".encode())
        async for _ in firefox.stderr:
            pass
    return await firefox.wait()


if __name__ == "__main__":
    assert shutil.which(sys.argv[1])
    sys.exit(asyncio.run(_run(sys.argv[1:])))
