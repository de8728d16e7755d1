"""Close codes: their names, which may stand in a Close frame, and after which of them a client reconnects.

| codes | what happened | does the client reconnect? |
| --- | --- | --- |
| 1000 | one side has finished | no |
| 1001, 1012-1014 | this server stops or restarts; others run | yes, after `retry_after_ms` |
| 1005, 1006 | the connection was lost, or closed without a reason | yes, with back-off |
| 1002, 1003, 1007-1010 | the peer broke the protocol, and would do so again | no |
| 1011 | the server failed | yes, with back-off |
| 4000-4007 | the session was refused; first the token or the program must change | no |
| 4008-4499 | the session was ended for its pace, and may be resumed | yes, with back-off |
| all others | unknown | no |
"""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """RFC 6455, section 7.4.1, and the application's own codes from 4000 on."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS = 1005
    ABNORMAL = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    BAD_FIRST_FRAME = 4000
    TOKEN_INVALID = 4001
    BLOCKED = 4003
    TOO_SLOW = 4008
    RATE_LIMITED = 4029
    AUTH_TIMEOUT = 4408


MEANINGS = {
    CloseCode.NORMAL: "one side has finished",
    CloseCode.GOING_AWAY: "the server stops",
    CloseCode.PROTOCOL_ERROR: "frames that RFC 6455 forbids",
    CloseCode.UNSUPPORTED_DATA: "a binary frame",
    CloseCode.NO_STATUS: "never sent: the Close frame of the peer held no code",
    CloseCode.ABNORMAL: "never sent: the connection ended without a Close frame",
    CloseCode.INVALID_DATA: "a text that is not UTF-8",
    CloseCode.POLICY_VIOLATION: "a message of too many fragments",
    CloseCode.TOO_BIG: "a frame, or a message of several, over 64 KiB",
    CloseCode.INTERNAL_ERROR: "a defect of the server",
    CloseCode.SERVICE_RESTART: "the server restarts, or live delivery was interrupted",
    CloseCode.BAD_FIRST_FRAME: "the first frame is not `auth`",
    CloseCode.TOKEN_INVALID: "the token is invalid or expired, or its log-in has ended",
    CloseCode.BLOCKED: "the account is blocked",
    CloseCode.TOO_SLOW: "the client did not read fast enough; resume",
    CloseCode.RATE_LIMITED: "the client ignored `rate_limited`, or has too many sessions",
    CloseCode.AUTH_TIMEOUT: "no `auth` came in time",
}
"""When each code is used."""

_FROM_FRAMES = (range(1000, 1004), range(1007, 1015), range(3000, 5000))
_RECONNECT = (range(1001, 1002), range(1005, 1007), range(1011, 1015), range(4008, 4500))


def is_sendable(code: int) -> bool:
    """Whether the code may stand in a Close frame: registered and not reserved, or private (section 7.4.2)."""
    return any(code in codes for codes in _FROM_FRAMES)


def should_reconnect(code: int) -> bool:
    """Whether a client should reconnect by itself, with the same token, after this code; see the table above."""
    return any(code in codes for codes in _RECONNECT)
