"""What waits to be announced to one user of one conversation, and what was announced: decisions about one entry.

Rule 1: a message counts once. An entry knows the newest seq that it has taken in, and takes none from before: the
  notices of a conversation come in the order of the seqs, and may come again.
Rule 2: an edit that mentions a user is a reason of its own, for a message from before; the last `EDITS_KEPT` are known.
Rule 3: one announcement for a conversation in `GATHER_MS`. It counts what came meanwhile.
Rule 4: an entry is claimed with a lease. The settlement says up to which seq it decided, so what came meanwhile waits.
Rule 5: channels take charge first, and then the settlement says so. A crash in between announces the same once more,
  and the device shows it in place of itself.
Rule 6: a user who is online may be about to read. What is addressed to them waits, and waits longer each time.
Rule 7: a channel that fails gets the same again, after pauses that grow, until `GIVE_UP_MS` have passed.
Rule 8: an entry goes when everything was read and no device shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from chat.domain.notifying import NotificationKind, NotificationSettings, find_quiet_end, strongest

GATHER_MS = 60_000
LOOK_MS = 30_000
LONGEST_LOOK_MS = 3_600_000
EDITS_KEPT = 16
FIRST_PAUSE_MS = 5_000
LONGEST_PAUSE_MS = 1_800_000
GIVE_UP_MS = 3 * 86_400_000


class PendingNotification(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one user and one conversation. Times in milliseconds since the epoch.

    `count` messages concern the user since they read last, from `first` on; `seq` is the newest that was taken in, and
    what is above `announced` waits, as does the edit of `edited`. `kind` is the strongest of those that wait. Devices
    show the message `shown` (0: nothing), and wrongly if `is_stale`. `mailed`: what a digest had.

    Nobody looks at it before `due` (None: until something happens). It is `leased` to somebody until then. Nothing is
    announced before `not_before`. `looks` counts how often it was held because the user was online. The channels in
    `done` have the announcement of `tried`, and others failed `failures` times since `failing_since`. `trace` is the
    traceparent of what was taken in last, if that is traced.
    """

    user: str
    conversation: str
    kind: NotificationKind
    count: int
    first: int
    seq: int
    announced: int = 0
    edited: int = 0
    edits: tuple[int, ...] = ()
    shown: int = 0
    is_stale: bool = False
    mailed: int = 0
    due: int | None = None
    leased: int = 0
    not_before: int = 0
    looks: int = 0
    tried: int = 0
    done: tuple[str, ...] = ()
    failures: int = 0
    failing_since: int = 0
    trace: str = ""

    @property
    def is_waiting(self) -> bool:
        """Whether something was not announced."""
        return self.seq > self.announced or self.edited > 0

    @property
    def is_unmailed(self) -> bool:
        """Whether something was not read that no digest had."""
        return self.newest > self.mailed and self.count > 0

    @property
    def newest(self) -> int:
        """The newest message that was taken in."""
        return max(self.seq, *self.edits, 0)

    @property
    def target(self) -> int:
        """The newest message that waits."""
        return max(self.seq if self.seq > self.announced else 0, self.edited)


class NotedMessages(Struct, frozen=True, kw_only=True):
    """Messages of one conversation that concern a user: new ones (`seqs`, in order), and `edits` of ones from before.

    `kind` is the strongest of them. `is_online`: the user had a session that was not away. `trace`: a traceparent.
    """

    user: str
    conversation: str
    kind: NotificationKind
    seqs: Sequence[int] = ()
    edits: Sequence[int] = ()
    is_online: bool = False
    trace: str = ""


class Facts(Struct, frozen=True, kw_only=True):
    """What holds when an entry is due: whether the user may read the conversation, and wants to be notified of it now;
    their settings, whether they are online, and their read mark."""

    may_read: bool
    is_wanted: bool
    settings: NotificationSettings
    is_online: bool
    read: int


class EntryStep(StrEnum):
    """What to do with an entry that is due: announce it; hold it (for a `LOOK` at whether the user reads it); let what
    waits go unannounced; replace or close what devices show; leave it; or forget it with all that is shown."""

    ANNOUNCE = "announce"
    HOLD = "hold"
    LOOK = "look"
    SKIP = "skip"
    REPLACE = "replace"
    RETRACT = "retract"
    REST = "rest"
    FORGET = "forget"


class Settlement(Struct, frozen=True, kw_only=True):
    """What was done at the time `at` with an entry whose newest seq was `seen`, and whose read mark is `read`.

    All that waits up to `decided` is done with, and so is the edit of `edited`. Devices show `shown` from now on, 0 for
    nothing; None leaves it. It is held until `hold`. Of the announcement of `tried`, the channels in `done` took charge
    and others failed. `is_gone`: it is to be forgotten.
    """

    user: str
    conversation: str
    at: int
    seen: int
    read: int = 0
    decided: int = 0
    edited: int = 0
    shown: int | None = None
    hold: int = 0
    is_look: bool = False
    has_failed: bool = False
    tried: int = 0
    done: tuple[str, ...] = ()
    is_gone: bool = False


def note_messages(entry: PendingNotification | None, noted: NotedMessages, now: int) -> PendingNotification | None:
    """The entry with these messages; the same object, or None, when it knows all of them."""
    known = entry.seq if entry is not None else 0
    new = sorted({seq for seq in noted.seqs if seq > known})  # rule 1
    edits = sorted({seq for seq in noted.edits if entry is None or seq not in entry.edits})  # rule 2
    if not new and not edits:
        return entry
    if entry is None:
        first = min(*new, *edits) if len(new) + len(edits) > 1 else (new or edits)[0]
        entry = PendingNotification(
            user=noted.user, conversation=noted.conversation, kind=noted.kind, count=0, first=first, seq=0
        )
    gathered = entry.kind if entry.is_waiting else noted.kind
    entry = replace(
        entry,
        kind=strongest(gathered, noted.kind),
        count=entry.count + len(new) + sum(not entry.first <= seq <= entry.seq for seq in edits),
        seq=max(entry.seq, *new) if new else entry.seq,
        edited=max(entry.edited, *edits) if edits else entry.edited,
        edits=(*entry.edits, *edits)[-EDITS_KEPT:],
        looks=0,
        trace=noted.trace,
    )
    wanted = max(now + LOOK_MS if noted.is_online else now, entry.not_before)  # rules 3 and 6
    due = wanted if entry.due is None else min(entry.due, wanted)
    return replace(entry, due=max(due, entry.leased))


def note_read(entry: PendingNotification, read: int, now: int) -> PendingNotification:
    """The entry when its user has read up to there: due at once if devices show what was read."""
    if not entry.shown or read < entry.shown:
        return entry
    return replace(entry, due=max(now, entry.leased))


def note_withdrawal(entry: PendingNotification, seq: int, now: int) -> PendingNotification:
    """The entry when this message was withdrawn: due at once if devices show it."""
    if entry.shown != seq:
        return entry
    return replace(entry, is_stale=True, due=max(now, entry.leased))


def note_mailed(entry: PendingNotification, seq: int) -> PendingNotification:
    """The entry when a digest had all up to there."""
    return replace(entry, mailed=max(entry.mailed, seq))


def lease_entry(entry: PendingNotification, until: int) -> PendingNotification:
    """The entry as it is claimed (rule 4)."""
    return replace(entry, due=until, leased=until)


def decide_step(entry: PendingNotification, facts: Facts, now: int) -> tuple[EntryStep, int]:
    """What to do with an entry that is due, and until when to hold it (0 when it is not held)."""
    entry = advance_read(entry, facts.read)
    quiet_end = find_quiet_end(facts.settings, now)
    if not facts.may_read:
        return EntryStep.FORGET, 0
    if entry.shown and facts.read >= entry.shown:
        return EntryStep.RETRACT, 0
    if entry.is_stale:
        # A replacement would make a sound.
        is_quiet = facts.is_online or quiet_end is not None or not facts.is_wanted
        return (EntryStep.RETRACT if is_quiet else EntryStep.REPLACE), 0
    if entry.is_waiting and facts.is_wanted:
        return _decide_time(entry, facts, quiet_end, now)
    return (EntryStep.SKIP if entry.is_waiting else EntryStep.REST), 0


def _decide_time(entry: PendingNotification, facts: Facts, quiet_end: int | None, now: int) -> tuple[EntryStep, int]:
    if facts.is_online:  # rule 6
        return EntryStep.LOOK, now + min(LONGEST_LOOK_MS, LOOK_MS << min(entry.looks, 8))
    if quiet_end is not None:
        return EntryStep.HOLD, quiet_end
    if now < entry.not_before:  # rule 3
        return EntryStep.HOLD, entry.not_before
    return EntryStep.ANNOUNCE, 0


def has_failed_too_long(entry: PendingNotification, now: int) -> bool:
    """Whether a channel that keeps failing is given up (rule 7)."""
    return entry.failing_since > 0 and now - entry.failing_since > GIVE_UP_MS


def find_pause(entry: PendingNotification) -> int:
    """How long to wait before a channel that failed is tried again, in milliseconds (rule 7)."""
    return min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << min(entry.failures, 10))


def settle_entry(entry: PendingNotification, settlement: Settlement) -> PendingNotification | None:
    """The entry after what was done with it; None when nothing of it needs to be known any more."""
    if settlement.is_gone:
        return None
    entry = advance_read(entry, settlement.read)
    entry = replace(
        entry,
        announced=max(entry.announced, min(settlement.decided, entry.seq)),  # rule 4
        edited=0 if entry.edited == settlement.edited else entry.edited,
        leased=0,
        looks=entry.looks + 1 if settlement.is_look else 0,
    )
    entry = _settle_failure(entry, settlement)
    if settlement.shown is not None:
        entry = replace(entry, shown=settlement.shown, is_stale=False)
        if settlement.shown:
            entry = replace(entry, not_before=settlement.at + GATHER_MS)  # rule 3
    if settlement.hold and not settlement.is_look:
        entry = replace(entry, not_before=settlement.hold)
    if not entry.is_waiting and not entry.shown and settlement.read >= entry.newest:
        return None  # rule 8
    return replace(entry, due=_find_due(entry, settlement))


def _settle_failure(entry: PendingNotification, settlement: Settlement) -> PendingNotification:
    if not settlement.has_failed:
        return replace(entry, tried=0, done=(), failures=0, failing_since=0)
    return replace(
        entry,
        tried=settlement.tried,
        done=settlement.done,
        failures=entry.failures + 1,
        failing_since=entry.failing_since or settlement.at,
    )


def _find_due(entry: PendingNotification, settlement: Settlement) -> int | None:
    if entry.is_stale:
        return settlement.at
    if not entry.is_waiting and not settlement.hold:
        return None
    soon = max(settlement.at, entry.not_before)
    if settlement.hold:
        return min(settlement.hold, soon) if entry.seq > settlement.seen else settlement.hold
    return soon


def advance_read(entry: PendingNotification, read: int) -> PendingNotification:
    """The entry without what was read."""
    if read < entry.first and not 0 < entry.edited <= read:
        return entry
    count = 0 if read >= entry.seq else min(entry.count, entry.seq - read)
    return replace(
        entry,
        first=max(entry.first, read + 1),
        count=count if read >= entry.first else entry.count,
        announced=max(entry.announced, min(read, entry.seq)),
        edited=0 if entry.edited <= read else entry.edited,
    )
