"""What log-in, registration and refresh refuse, by codes of their own."""

from __future__ import annotations

from chat.errors import Conflict, Unauthorized


class NameTaken(Conflict):
    """Another account has this name, whatever the case of its letters."""

    code = "name_taken"


class EmailTaken(Conflict):
    """Another account has this e-mail address."""

    code = "email_taken"


class WrongLogin(Unauthorized):
    """The name or the password is wrong; which of them is not told."""

    code = "wrong_login"


class TokenReused(Unauthorized):
    """A refresh token came a second time: it was copied, so its whole family has ended."""

    code = "token_reused"


class RefreshExpired(Unauthorized):
    """The refresh token is unknown, ended or too old."""

    code = "refresh_expired"
