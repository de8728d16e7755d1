"""What happens in a conversation, one record for each: the facts that the log carries and that history applies.

Every record names its `conversation`, which is its key: so the log keeps the order of a conversation. The tags stand on
the wire (`chat.wire.records`).
"""

from __future__ import annotations

from msgspec import Struct

LogStamp = tuple[int, int]
"""The offset of a record in its partition, and when the log took it (milliseconds since the epoch)."""


class Record(Struct, frozen=True, tag_field="kind", kw_only=True, omit_defaults=True):
    """What all records share. `actor` did it at `ts` (milliseconds since the epoch).

    `stamp` is set when a record is read from the log, and never written into it; so is `trace`, the traceparent of the
    span that it belongs to.
    """

    conversation: str
    actor: str
    ts: int
    stamp: LogStamp | None = None
    trace: str = ""


class Sent(Record, tag="sent", frozen=True, kw_only=True):
    """A message was sent. `client_id`, in lower case, makes it idempotent for its actor. `sent_id` is what the client
    wrote in its place, if that differs: events give it back, as the client looks for it.

    `name` and `display_name` are the actor's at that time. One that is `held` waits for the verdict of moderation;
    allowed, it comes again, and is not held any more.
    """

    name: str
    text: str
    client_id: str
    sent_id: str = ""
    reply_to: int | None = None
    held: bool = False
    display_name: str = ""

    @property
    def echo_id(self) -> str:
        """The `client_id` as the client wrote it."""
        return self.sent_id or self.client_id


class Edited(Record, tag="edited", frozen=True, kw_only=True):
    """The author gave the message another text.

    `mentions` are the ids of those whom it mentions; they are known once the record was read from the log.
    """

    seq: int
    text: str
    mentions: tuple[str, ...] = ()


class Deleted(Record, tag="deleted", frozen=True, kw_only=True):
    """The message was taken back by its author, or (`by_moderator`) by a moderator of the room."""

    seq: int
    by_moderator: bool = False


class Reacted(Record, tag="reacted", frozen=True, kw_only=True):
    """A reaction was set, or (`remove`) taken back."""

    seq: int
    emoji: str
    remove: bool = False


class Pinned(Record, tag="pinned", frozen=True, kw_only=True):
    """The message was pinned for everybody in the room, or (`remove`) unpinned."""

    seq: int
    remove: bool = False


class Read(Record, tag="read", frozen=True, kw_only=True):
    """The actor has read up to `seq`. A mark never moves back. Nobody but the actor is notified of a `private` one."""

    seq: int
    private: bool = False


class Moderated(Record, tag="moderated", frozen=True, kw_only=True):
    """The text was withdrawn by moderation; the actor is the moderator's id, or `moderation` for the service. With
    `author`, only if the message is theirs: a verdict on an edit may come for one that never applied."""

    seq: int
    reason: str
    author: str = ""


class Restored(Record, tag="restored", frozen=True, kw_only=True):
    """A withdrawal by moderation was undone: the text is there again. The actor is the moderator's id.

    `mentions` are those of `Edited`.
    """

    seq: int
    text: str
    mentions: tuple[str, ...] = ()


MessageChange = Edited | Deleted | Reacted | Pinned | Moderated | Restored
"""What changes a message that is stored; `chat.domain.changes` decides whether it applies."""

AnyRecord = Sent | Edited | Deleted | Reacted | Pinned | Read | Moderated | Restored
