"""What the moderation pool puts on the topic of verdicts, keyed by conversation: findings on messages, as JSON.

There is nothing about a message that is allowed, but when it waits for that. A verdict may come again, and after one
that came later.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from chat.domain.moderation import Verdict
from chat.domain.records import Sent
from chat.errors import Poison

VERDICT_TOPIC = "moderation-verdicts"


class VerdictRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The verdict on a text of the message (`sender`, `client_id`): on the first one when `revision` is 0, else on that
    of the edit at this time. `seq` is known of an edit, else 0. `ts` is when the text was written, in milliseconds.
    `held` is the message itself when it waits for this verdict, which then may be to allow it."""

    conversation: str
    sender: str
    client_id: str
    verdict: Verdict
    rule: str
    reason: str
    ts: int
    revision: int = 0
    seq: int = 0
    held: Sent | None = None


encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[VerdictRecord] = msgspec.json.Decoder(VerdictRecord)


def decode_verdict(value: bytes) -> VerdictRecord:
    """The verdict in a log entry's value, or `Poison`."""
    try:
        record = _decoder.decode(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Poison(f"not a verdict: {error}") from error
    if record.verdict is Verdict.ALLOW and record.held is None:
        raise Poison("a verdict that allows has no place here")
    return record
