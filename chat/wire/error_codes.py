"""The codes of `error` answers on the WebSocket: what each means, and when the command may be sent again.

`chat.errors` has the errors themselves. Most of these codes are theirs; the edge adds those about frames and sessions.
"""

from __future__ import annotations

ERROR_CODES = {
    "bad_json": ("the frame is not one JSON object, a key stands twice in it, or it is nested too deep", "no"),
    "unknown_command": ("`type` names no command", "no"),
    "invalid": ("a field is missing, of the wrong type or malformed", "no"),
    "too_long": ("a text is over its limit", "no"),
    "unauthorized": ("the token is not valid", "with another token"),
    "forbidden": ("the user may not do that here; also for a room that the user is not in", "no"),
    "not_found": ("no such room, user or message", "no"),
    "conflict": ("it contradicts the present state, such as an edit of a withdrawn message", "no"),
    "too_many_subscriptions": ("the session listens to as many rooms as it may", "after `unsubscribe`"),
    "too_many_sessions": ("the user has as many sessions as are allowed; 4029 follows", "after closing one"),
    "rate_limited": ("too many commands", "after `retry_after_ms`"),
    "overloaded": ("the system is busy; nothing is known to be stored", "with the same `client_id`"),
    "unavailable": ("a part of the system does not answer; nothing is known to be stored", "with the same `client_id`"),
    "internal": ("a defect of the server, which was logged", "with the same `client_id`"),
}
"""Code → its meaning, and when to try again."""
