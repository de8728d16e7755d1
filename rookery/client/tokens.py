"""Access tokens: where the client gets them, and when one must be replaced."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct

from rookery.client.errors import ClientError, ConnectionLost

Token = str | Callable[[], Awaitable[str]]
"""An access token, or a function that gives a fresh one, for each connection and before a token expires."""


class _Claims(Struct):
    exp: float
    iat: float | None = None


async def fetch_token(token: Token) -> str:
    """The token to use now. Raises `ClientError`; any other error of the function causes a `ConnectionLost`."""
    if isinstance(token, str):
        return token
    try:
        return await token()
    except ClientError:
        raise
    except Exception as error:
        raise ConnectionLost(f"the function that gives tokens failed: {error!r}") from error


def refresh_after(token: str, now: Callable[[], float] = time.time) -> float | None:
    """Seconds until the token should be replaced: a fifth of its lifetime, and at most a minute, before it expires.

    None when it does not say when it expires. The signature is the server's concern and is not checked.
    """
    try:
        _, payload, _ = token.split(".")
        padded = payload + "=" * (-len(payload) % 4)
        claims = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Claims)
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        return None
    left = claims.exp - now()
    return max(0.0, left - min(60.0, left / 5))
