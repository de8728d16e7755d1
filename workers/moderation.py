"""The moderation pool's handler: asks for a verdict on every text, and passes on what is not allowed.

Verdicts go to a topic of their own; a held message gets one in any case. The pool reads the topics of messages in a
group of its own, beside the persistence pool and without waiting for it. While the moderation service is down, this
pool waits and only held messages wait with it; the verdicts on the others follow later.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from msgspec.structs import replace

from chat.domain.moderation import Content, Finding, Strictness, Verdict
from chat.domain.records import AnyRecord, Edited, Sent
from chat.ports.cases import Cases
from chat.ports.log import Log, LogRecord
from chat.ports.moderation import MAX_BATCH, Moderation
from chat.tracing import make_record_headers
from chat.wire import verdicts
from chat.wire.verdicts import VERDICT_TOPIC, VerdictRecord
from workers.appending import NewRecord, append_all
from workers.spans import decode_traced

GROUP = "moderation"
_EDITS = uuid.UUID("5b1f4d0e-2f3a-4c55-9d6e-8f0a4a3c7b21")


class ModerationHandler:
    """Implements `workers.pool.Handler` for the records of `ROOM_TOPIC` and `DM_TOPIC`, in the group `GROUP`.

    `verdicts` counts the texts that were checked, by what was found.
    """

    def __init__(self, moderation: Moderation, cases: Cases, log: Log) -> None:
        self.verdicts = dict.fromkeys(Verdict, 0)
        self._moderation = moderation
        self._cases = cases
        self._log = log

    def decode_record(self, entry: LogRecord) -> AnyRecord:
        """The record in an entry, or `Poison`."""
        return decode_traced(entry)

    async def handle_records(self, records: Sequence[AnyRecord]) -> None:
        """A record that comes again may lead to the same verdict again."""
        texts = [record for record in records if isinstance(record, Sent | Edited)]
        for start in range(0, len(texts), MAX_BATCH):
            await self._judge_texts(texts[start : start + MAX_BATCH])

    async def _judge_texts(self, texts: Sequence[Sent | Edited]) -> None:
        levels = await self._cases.get_strictness({text.conversation for text in texts})
        contents = [content_of(text, levels.get(text.conversation, Strictness.NORMAL)) for text in texts]
        findings = await self._moderation.check_contents(contents)
        for finding in findings:
            self.verdicts[finding.verdict] += 1
        found = [
            (_make_verdict(text, content, finding), make_record_headers(text.trace))
            for text, content, finding in zip(texts, contents, findings, strict=True)
            if finding.verdict is not Verdict.ALLOW or _is_held(text)
        ]
        if found:
            await append_all(
                self._log,
                (
                    NewRecord(VERDICT_TOPIC, each.conversation, verdicts.encode(each), headers)
                    for each, headers in found
                ),
            )


def content_of(text: Sent | Edited, strictness: Strictness) -> Content:
    """The text to check. An edit names its message by `seq`, from which its `client_id` is made."""
    if isinstance(text, Sent):
        client_id, revision = text.client_id, 0
    else:
        client_id, revision = edited_id(text.conversation, text.seq), text.ts
    return Content(
        conversation=text.conversation,
        sender=text.actor,
        client_id=client_id,
        text=text.text,
        ts=text.ts,
        revision=revision,
        strictness=strictness,
    )


def edited_id(conversation: str, seq: int) -> str:
    """A UUID in place of the `client_id` of an edited message, which the record of an edit does not hold."""
    return str(uuid.uuid5(_EDITS, f"{conversation}:{seq}"))


def _make_verdict(text: Sent | Edited, content: Content, finding: Finding) -> VerdictRecord:
    return VerdictRecord(
        conversation=content.conversation,
        sender=content.sender,
        client_id=content.client_id,
        verdict=finding.verdict,
        rule=finding.rule,
        reason=finding.reason,
        ts=content.ts,
        revision=content.revision,
        seq=text.seq if isinstance(text, Edited) else 0,
        held=replace(text, trace="") if isinstance(text, Sent) and text.held else None,
    )


def _is_held(text: Sent | Edited) -> bool:
    return isinstance(text, Sent) and text.held
