"""Encrypts a push for one browser (RFC 8291), by pywebpush.

It takes 0.15 ms, so it runs beside the event loop. The library is imported with the first push: it brings two HTTP
clients, which are never called, and which cost 23 MB.
"""

from __future__ import annotations

import base64
from functools import partial
from typing import cast

import anyio

from chat.domain.push import PushSubscription
from chat.ports.executor import Executor

_AT_ONCE = 2


class PushEncryption:
    """Encrypts by the executor, a few at a time."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def encrypt_body(self, subscription: PushSubscription, content: bytes) -> bytes:
        """The body of a request to a push service."""
        return await self._executor.run_blocking(partial(encrypt_content, subscription, content), self._limiter)


def encrypt_content(subscription: PushSubscription, content: bytes) -> bytes:
    """Encrypt in this thread: a salt and a pair of keys of its own for each push."""
    from pywebpush import WebPusher

    keys = {"p256dh": _encode(subscription.p256dh), "auth": _encode(subscription.auth)}
    pusher = WebPusher({"endpoint": subscription.endpoint, "keys": keys})
    return cast("bytes", pusher.encode(content, "aes128gcm")["body"])


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
