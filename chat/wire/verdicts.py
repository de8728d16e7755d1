"""The records of the topic of verdicts, as JSON, keyed by conversation. The moderation pool writes them.

A message that is allowed gets no record, except if it is held back until its verdict. A verdict may come twice, and
after a later one.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from chat.domain.moderation import Verdict
from chat.domain.records import Sent
from chat.errors import Poison

VERDICT_TOPIC = "moderation-verdicts"


class VerdictRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The verdict on one text of the message (`sender`, `client_id`).

    `revision` is 0 for the first text, else the time of the edit that brought the text. `seq` is that of the edited
    message, else 0. `ts` is when the text was written, in milliseconds. `held` is the message itself if it waits for
    this verdict; only then may the verdict be to allow it.

    `trace` is set when a record is read from the log, and never written into it: the traceparent of its span.
    """

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
    trace: str = ""


encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[VerdictRecord] = msgspec.json.Decoder(VerdictRecord)


def decode_verdict(value: bytes) -> VerdictRecord:
    """The verdict in a log entry's value, or `Poison`."""
    try:
        record = _decoder.decode(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Poison(f"not a verdict: {error}") from error
    if record.verdict is Verdict.ALLOW and record.held is None:
        raise Poison("a verdict that allows a message which was not held back")
    return record
