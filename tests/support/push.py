"""Browsers for tests: their keys, their subscriptions, and how they read a push."""

from __future__ import annotations

import base64
import itertools
import os
from collections.abc import Mapping
from typing import Any

import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from chat.domain.push import PushSubscription
from chat.domain.push_queue import PushContent
from chat.ports.push import PushStore
from tests.support.builders import ANN, HALL, NOW

SERVICE = "fcm.googleapis.com"
FAMILY = "family"
_numbers = itertools.count(1)


def encode_key(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class FakeBrowser:
    """The keys of a browser, as `PushManager.subscribe` makes them."""

    def __init__(self, endpoint: str = "") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.endpoint = endpoint or f"https://{SERVICE}/fcm/send/{next(_numbers)}"
        self.p256dh = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.auth = os.urandom(16)

    def subscribe(self, user: str = ANN, **fields: Any) -> PushSubscription:
        """As the server stores it."""
        known: dict[str, Any] = {
            "user": user,
            "family": FAMILY,
            "endpoint": self.endpoint,
            "p256dh": self.p256dh,
            "auth": self.auth,
            "service": SERVICE,
            "vapid": "key",
            "created": NOW,
        }
        return PushSubscription(**known | fields)

    def as_json(self) -> dict[str, Any]:
        """`PushSubscription.toJSON()`."""
        keys = {"p256dh": encode_key(self.p256dh), "auth": encode_key(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def decrypt(self, body: bytes) -> bytes:
        """The content of a push (RFC 8291), as a browser reads it."""
        read: bytes = http_ece.decrypt(body, private_key=self._key, auth_secret=self.auth, version="aes128gcm")
        return read

    def read(self, body: bytes) -> dict[str, Any]:
        """The content as JSON."""
        content: dict[str, Any] = msgspec.json.decode(self.decrypt(body))
        return content


async def use_every_call(push: PushStore) -> None:
    """Each method of the port once. Ann has a log-in, `FAMILY`."""
    browser = FakeBrowser()
    await push.add_subscription(browser.subscribe())
    await push.list_subscriptions(ANN)
    await push.find_subscribed([ANN])
    await push.queue_pushes([PushContent(user=ANN, conversation=HALL, seq=1, queued=NOW)])
    await push.find_next_due(SERVICE)
    (claimed,) = await push.claim_pushes(SERVICE, NOW, NOW + 1000, 10)
    await push.note_later(claimed, NOW, device=True)
    await push.drop_push(claimed)
    await push.note_delivered(claimed)
    await push.clear_pushes(NOW)
    await push.drop_subscription(claimed)
    await push.remove_subscription(ANN, browser.endpoint)


def read_vapid(headers: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """The claims of the `Authorization` of a push (RFC 8292), whose signature holds, and the public key."""
    authorization = headers["authorization"]
    assert Vapid02.verify(authorization)
    parts = dict(part.strip().split("=", 1) for part in authorization.removeprefix("vapid ").split(","))
    payload = parts["t"].split(".")[1]
    claims: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims, parts["k"]
