"""Lets pages of other origins call REST: CORS, for the origins whose pages may also connect to the edge.

Credentials are not allowed, so the browser sends no cookies along and keeps none: a page calls with a token, or in
order to log in.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HEADERS = ("Authorization", "Content-Type")
_READABLE = ("Retry-After",)
PREFLIGHT_SECONDS = 600


def allow_origins(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """The application, whose answers pages of these origins (`*`: of all) may read; without any, as it was.

    It stands outside of all that answers, because a page must be able to read errors, too.
    """
    if not origins:
        return app
    allowed = [origin.lower().rstrip("/") for origin in origins]  # as browsers write them
    return CORSMiddleware(
        app,
        allow_origins=allowed,
        allow_methods=_METHODS,
        allow_headers=_HEADERS,
        expose_headers=_READABLE,
        max_age=PREFLIGHT_SECONDS,
    )
