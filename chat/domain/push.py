"""Subscriptions of browsers to push: which ones are taken, and what became of a push (RFC 8030).

Rule 1: an endpoint is a URL that a stranger chose and that this server will call. So it leads to a push service of the
  list: by https, by name and never by an IP address, on the port of https, and without user or password.
Rule 2: an entry with a port, `127.0.0.1:9000`, is for tests on this machine; it alone admits http.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from chat.errors import Invalid

SUBSCRIPTIONS_PER_USER = 20
"""Of more, the oldest go."""
ENDPOINT_LENGTH = 1024
PUSH_SERVICES = (
    "fcm.googleapis.com",
    "jmt17.google.com",
    "*.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
"""The push services of the browsers: Chrome (both hosts), Firefox, Safari, and Edge on Windows."""
AUTH_BYTES = 16
LONGEST_WAIT_SECONDS = 6 * 3600.0
FIRST_WAIT_SECONDS = 5.0

_HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}")
_LOOPBACK = re.compile(r"(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost):\d{1,5}")
# The curve P-256 (FIPS 186-4, D.1.2.3): y² = x³ - 3x + b over the field of p.
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


class PushSubscription(Struct, frozen=True, kw_only=True):
    """A browser that a user's push goes to. It ends with the log-in (`family`) that made it.

    `service` is the entry of the list of push services that its endpoint belongs to, `vapid` the public key that the
    browser was given (65 bytes in base64url), `created` in milliseconds.
    """

    user: str
    family: str
    endpoint: str
    p256dh: bytes
    auth: bytes
    service: str
    vapid: str
    created: int


class PushOutcome(StrEnum):
    """What a push service's answer means: delivered, the subscription is gone, the content is too long, to be tried
    again later, or refused for good."""

    DELIVERED = "delivered"
    GONE = "gone"
    TOO_LONG = "too_long"
    LATER = "later"
    REFUSED = "refused"


def check_push_host(entry: str) -> str:
    """An entry of the list of push services, in lower case. Raises `ValueError` with what may be given."""
    entry = entry.lower()
    if not _HOST.fullmatch(entry) and not _LOOPBACK.fullmatch(entry):
        raise ValueError("names of hosts such as push.example.org or *.example.org, or 127.0.0.1:PORT for tests")
    return entry


def find_push_service(endpoint: str, hosts: Sequence[str]) -> str:
    """The entry of `hosts` that an endpoint belongs to. Raises `Invalid` with the field `endpoint` (rules 1 and 2)."""
    parts = _split_endpoint(endpoint)
    host = (parts.hostname or "").rstrip(".")
    for entry in hosts:
        if ":" in entry:  # rule 2
            if parts.netloc.lower() == entry and parts.scheme in ("http", "https"):
                return entry
        elif parts.scheme == "https" and parts.port in (None, 443) and _matches(host, entry):
            return entry
    raise Invalid(
        "`endpoint` does not lead to a push service that this server knows; its operator can add the host to "
        "ROOKERY_PUSH_HOSTS",
        field="endpoint",
    )


def _split_endpoint(endpoint: str) -> SplitResult:
    try:
        parts = urlsplit(endpoint)
        _ = parts.port
    except ValueError:
        raise Invalid("`endpoint` is not a URL", field="endpoint") from None
    if len(endpoint) > ENDPOINT_LENGTH or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        raise Invalid(f"`endpoint` must be a URL in ASCII, of {ENDPOINT_LENGTH} characters at most", field="endpoint")
    if parts.scheme not in ("https", "http") or "@" in parts.netloc or "#" in endpoint or "\\" in endpoint:
        raise Invalid("`endpoint` must be an https URL without user, password or fragment", field="endpoint")
    return parts


def _matches(host: str, entry: str) -> bool:
    if not _HOST.fullmatch(host):  # rule 1: also an address in a disguise, such as 0x7f.1 or 2130706433
        return False
    return host.endswith(entry[1:]) if entry.startswith("*.") else host == entry


def decode_p256dh(text: str) -> bytes:
    """A browser's public key: an uncompressed point of P-256 (RFC 8291, section 3.1). Raises `Invalid`."""
    point = _decode_key(text, "keys.p256dh")
    if len(point) != 65 or point[0] != 4 or not _is_on_curve(point):
        raise Invalid("`keys.p256dh` is not a public key on the curve P-256", field="keys.p256dh")
    return point


def decode_auth(text: str) -> bytes:
    """A browser's authentication secret: 16 bytes (RFC 8291, section 3.2). Raises `Invalid`."""
    secret = _decode_key(text, "keys.auth")
    if len(secret) != AUTH_BYTES:
        raise Invalid(f"`keys.auth` must be {AUTH_BYTES} bytes in base64url", field="keys.auth")
    return secret


def _decode_key(text: str, field: str) -> bytes:
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(f"`{field}` is not base64url", field=field) from None


def _is_on_curve(point: bytes) -> bool:
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    return x < _P and y < _P and (y * y - (x * x * x - 3 * x + _B)) % _P == 0


def make_topic(user: str, conversation: str) -> str:
    """The `Topic` of pushes of a conversation to a user: a newer one replaces an older at the push service, which must
    not learn who talks to whom (RFC 8030, section 5.4: at most 32 characters of base64url)."""
    digest = hashlib.sha256(f"{user} {conversation}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def read_outcome(status: int) -> PushOutcome:
    """What the status of a push service's answer means (RFC 8030, sections 5 and 7.3, and what the services document).

    A redirection is refused, because it leads to where nobody checked.
    """
    if 200 <= status < 300:
        return PushOutcome.DELIVERED
    if status in (404, 410):
        return PushOutcome.GONE
    if status == 413:
        return PushOutcome.TOO_LONG
    if status == 429 or status >= 500 or status == 408:
        return PushOutcome.LATER
    return PushOutcome.REFUSED


def read_retry_after(value: str, now: int) -> float | None:
    """The seconds of a `Retry-After`, which is a number or a date (RFC 9110, section 10.2.3); None for neither.

    `now` in milliseconds. At most `LONGEST_WAIT_SECONDS`: a service must not keep messages back for days.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT_SECONDS)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    seconds = date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now / 1000
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def compute_wait(attempts: int, jitter: float) -> float:
    """Seconds until the next attempt after so many that failed; `jitter` is from 0 to 1."""
    wait = min(FIRST_WAIT_SECONDS * 2.0 ** min(attempts - 1, 16), LONGEST_WAIT_SECONDS)
    return wait * (0.5 + jitter / 2)
