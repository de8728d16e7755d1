"""The sender of webhooks, and the receiver of the documents, as a process of its own."""

from __future__ import annotations

import hmac
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from chat.adapters.webhooks.sender import open_webhook, sign_body
from chat.domain.ids import now_ms
from chat.errors import Poison, Unavailable
from chat.settings import WebhookSettings
from chat.wire.webhooks import WebhookEvent
from tests.support.builders import ANN, NOW, ROOM
from tests.support.patience import patient

on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
ROOT = Path(__file__).resolve().parents[4]
SECRET = "a secret of some length"
EVENT = WebhookEvent(
    id="1", type="notification", at=NOW, user=ANN, room=ROOM, with_=None, seq=7, title="hall", body="Ben: hello"
)


def settings_of(port: int, **fields: Any) -> WebhookSettings:
    known: dict[str, Any] = {"url": f"http://127.0.0.1:{port}/hook", "secret": SECRET, "private": True}
    return WebhookSettings(**known | fields)


@contextmanager
def receiver() -> Iterator[tuple[int, Any]]:
    """The example's port and its output."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(ROOT / "examples/webhook_receiver.py"), str(port)]
    environment = {**os.environ, "ROOKERY_WEBHOOK_SECRET": SECRET}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_open(port)
            yield port, process.stdout
        finally:
            process.kill()


def _wait_until_open(port: int) -> None:
    end = time.monotonic() + patient(10)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
        else:
            return


def test_a_signature_is_of_the_time_and_the_body() -> None:
    signature = sign_body(SECRET, 1000, b"body")
    assert signature.removeprefix("v1=") == hmac.digest(SECRET.encode(), b"1000.body", "sha256").hex()
    others = {sign_body(SECRET, 1001, b"body"), sign_body(SECRET, 1000, b"bodY"), sign_body("another", 1000, b"body")}
    assert signature not in others
    assert len(others) == 3


@pytest.mark.slow
@pytest.mark.anyio
@on_asyncio
async def test_the_receiver_of_the_documents_takes_what_is_signed_and_nothing_else() -> None:
    with receiver() as (port, output):
        with anyio.fail_after(patient(20)):
            async with open_webhook(settings_of(port), clock=now_ms) as sender:
                await sender.post_events([EVENT])
            assert (await anyio.to_thread.run_sync(output.readline)).decode().split()[:3] == ["notification", ANN, "7"]
            async with open_webhook(settings_of(port, secret="not the secret at all"), clock=now_ms) as forger:
                with pytest.raises(Poison, match="401"):
                    await forger.post_events([EVENT])
            async with open_webhook(settings_of(port), clock=lambda: now_ms() - 600_000) as repeater:
                with pytest.raises(Poison, match="401"):
                    await repeater.post_events([EVENT])


@pytest.mark.anyio
@on_asyncio
async def test_a_receiver_that_is_not_there_or_in_a_network_that_is_not_admitted_is_tried_again() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        for private in (True, False):
            async with open_webhook(settings_of(port, private=private), clock=now_ms) as sender:
                with pytest.raises(Unavailable, match="no connection" if private else "ROOKERY_WEBHOOK_PRIVATE"):
                    await sender.post_events([EVENT])
