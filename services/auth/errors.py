"""Errors of log-in, registration and refresh, each with its own code."""

from __future__ import annotations

from chat.errors import Conflict, Unauthorized


class NameTaken(Conflict):
    """Another account has this name, whatever the case of its letters."""

    code = "name_taken"


class WrongLogin(Unauthorized):
    """The name or the password is wrong; the answer does not say which, so names cannot be tried out."""

    code = "wrong_login"


class TokenReused(Unauthorized):
    """A refresh token was used a second time, so somebody copied it: its whole family has ended."""

    code = "token_reused"


class RefreshExpired(Unauthorized):
    """The refresh token is unknown, ended or too old."""

    code = "refresh_expired"
