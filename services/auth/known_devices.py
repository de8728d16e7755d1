"""Known devices: a cookie that says that somebody logged in as this user on this device before.

It opens nothing. It only keeps what strangers guess from counting against the device (see `login_rates`), so it may
live for long. It is signed with the key of the tokens, and has a random number in it; nothing of it is stored.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from services.common.addresses import is_secure
from services.common.collaborators import With

COOKIE = "rookery_device"
_SECONDS = 180 * 24 * 3600


class DeviceCookie:
    """The cookie of one call."""

    def __init__(self, services: With, request: Request, response: Response) -> None:
        self._keys = services.keys
        self._request = request
        self._response = response
        self._secure = is_secure(request.scope, services.settings.http)

    def read_number(self, user: str) -> str | None:
        """The number of the device; None when the user never logged in there, as far as the cookie shows."""
        mark = self._request.cookies.get(COOKIE)
        return self._keys.read_device_mark(mark, user) if mark else None

    def mark_device(self, user: str) -> None:
        """Mark the device as known to the user.

        Without a path, the cookie comes with calls of `/api/auth/…` alone, also behind a proxy that serves the
        application under a path of its own.
        """
        self._response.set_cookie(
            COOKIE,
            self._keys.issue_device_mark(user),
            max_age=_SECONDS,
            path=None,
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )


async def _get_device_cookie(services: With, request: Request, response: Response) -> DeviceCookie:
    return DeviceCookie(services, request, response)


Device = Annotated[DeviceCookie, Depends(_get_device_cookie)]
