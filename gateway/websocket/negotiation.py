"""The subprotocol, and which offer of permessage-deflate is accepted (RFC 7692, section 7.1).

All connections that compress get the same parameters for frames: no context takeover on either side, so a frame is
compressed once for all of them; and a server window of 2^12, so an offer of a smaller one is declined.
"""

from __future__ import annotations

import re

from wsproto import extensions

from gateway.websocket.encode import DEFLATE_WINDOW_BITS

SUBPROTOCOL = "rookery.v1"
_FLAGS = ("client_no_context_takeover", "server_no_context_takeover")
_BITS = re.compile(r"8|9|1[0-5]")


class PerMessageDeflate(extensions.PerMessageDeflate):
    """wsproto's extension, but strict: it declines what RFC 7692 says must be declined. The first good offer wins."""

    def __init__(self) -> None:
        super().__init__(client_no_context_takeover=True, server_no_context_takeover=True)

    def accept(self, offer: str) -> bool | str | None:
        """The parameters of the answer; None to decline."""
        parameters = _parse_parameters(offer)
        if self.enabled() or parameters is None:
            return None
        window = parameters.get("server_max_window_bits")
        if window is not None and int(window) < DEFLATE_WINDOW_BITS:
            return None
        return super().accept("; ".join([self.name, *(f"{k}={v}" if v else k for k, v in parameters.items())]))


def _parse_parameters(offer: str) -> dict[str, str] | None:
    """The parameters of an offer; None when one is unknown, comes twice, or has a value that it must not have."""
    found: dict[str, str] = {}
    for part in offer.split(";")[1:]:
        name, _, raw = (piece.strip() for piece in part.partition("="))
        value = raw[1:-1] if len(raw) > 1 and raw[0] == raw[-1] == '"' else raw
        if name in found or not _is_valid(name, value, given="=" in part):
            return None
        found[name] = value
    return found


def _is_valid(name: str, value: str, *, given: bool) -> bool:
    if name in _FLAGS:
        return not given
    if name == "client_max_window_bits" and not given:
        return True
    return name in ("client_max_window_bits", "server_max_window_bits") and _BITS.fullmatch(value) is not None
