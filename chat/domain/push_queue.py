"""What becomes of the pushes of a conversation on a device: one place, in which a newer one replaces the older.

Rule 1: a device gets a message once: what it has, or what waits for it, is not queued again.
Rule 2: two pushes of a place are never under way at once, so the older cannot arrive after the newer.
Rule 3: what closes is sent only to a device that shows something, or may: the push under way counts as shown.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace


class PushContent(Struct, frozen=True, kw_only=True):
    """What the devices of `user` are to show, or to close (`closes`) up to the message `seq` of a conversation.

    `content` means nothing to the queue. `queued` is in milliseconds. `trace`: a traceparent, or empty.
    """

    user: str
    conversation: str
    seq: int
    queued: int
    content: bytes = b""
    closes: bool = False
    trace: str = ""


class PushPlace(Struct, frozen=True, kw_only=True):
    """The push of a conversation on a device. Times in milliseconds.

    `due` is None when nothing waits. `claimed` is the time until which a sender has it, 0 for none. `version` grows
    with each content. `shown`: the device shows something of the conversation. `attempts` failed so far. `trace` is the
    traceparent of the content.
    """

    seq: int
    queued: int
    due: int | None
    content: bytes = b""
    closes: bool = False
    shown: bool = False
    claimed: int = 0
    attempts: int = 0
    version: int = 1
    trace: str = ""


def queue_content(place: PushPlace | None, pushed: PushContent, rest_until: int) -> PushPlace | None:
    """The place with a content that waits for the device, which is left alone until `rest_until`.

    None if the place is to be empty. The same place if nothing changes.
    """
    if pushed.closes:
        return _queue_closing(place, pushed, rest_until)
    due = max(pushed.queued, rest_until)
    if place is None:
        return PushPlace(seq=pushed.seq, queued=pushed.queued, due=due, content=pushed.content, trace=pushed.trace)
    if place.seq == pushed.seq and not place.closes:  # rule 1
        return place
    return _renew(place, pushed, due)


def _queue_closing(place: PushPlace | None, pushed: PushContent, rest_until: int) -> PushPlace | None:
    if place is None or place.closes or place.seq > pushed.seq:
        return place
    if not place.shown and place.claimed <= pushed.queued:  # rule 3
        return None
    return _renew(place, pushed, max(pushed.queued, rest_until))


def _renew(place: PushPlace, pushed: PushContent, due: int) -> PushPlace:
    return replace(
        place,
        seq=pushed.seq,
        queued=pushed.queued,
        due=max(due, place.claimed),  # rule 2
        content=pushed.content,
        closes=pushed.closes,
        attempts=0,
        version=place.version + 1,
        trace=pushed.trace,
    )


def claim_place(place: PushPlace, now: int, until: int) -> PushPlace | None:
    """The place in the hands of a sender until then; None if it is not due."""
    if place.due is None or place.due > now:
        return None
    return replace(place, due=until, claimed=until)


def finish_delivered(place: PushPlace, version: int, *, closes: bool) -> PushPlace | None:
    """The place after the push service took this version of it, which showed or closed; None if it is empty now."""
    if place.version != version:
        return replace(place, claimed=0, shown=not closes, due=_advance(place))
    if closes:
        return None
    return replace(place, due=None, claimed=0, shown=True, attempts=0, content=b"")


def finish_later(place: PushPlace, version: int, due: int) -> PushPlace:
    """The place after an attempt that failed: what it holds, this version or a newer, is due then."""
    attempts = place.attempts + 1 if place.version == version else 0
    return replace(place, claimed=0, due=None if place.due is None else due, attempts=attempts)


def finish_dropped(place: PushPlace, version: int) -> PushPlace | None:
    """The place after this version was given up; None if it is empty now."""
    if place.version != version:
        return replace(place, claimed=0, due=_advance(place))
    return replace(place, claimed=0, due=None, closes=False, content=b"") if place.shown else None


def _advance(place: PushPlace) -> int | None:
    """What waited only for the one under way is due at once."""
    return place.due if place.due is None or place.claimed == 0 else place.queued
