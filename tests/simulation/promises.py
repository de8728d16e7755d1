"""The six promises of the protocol, checked when a run is over: what clients were told and saw against history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chat.domain.models import Message
from tests.simulation.ledger import Ledger

HISTORY = "history"


def check_promises(ledger: Ledger, histories: Mapping[str, Sequence[Message]]) -> None:
    """Compare history with what was sent, acknowledged and seen; each contradiction is a broken promise."""
    places: dict[str, list[tuple[str, int]]] = {}
    for key, messages in histories.items():
        _check_sequence(ledger, key, messages)
        _check_order(ledger, key, messages)
        for message in messages:
            places.setdefault(message.client_id, []).append((key, message.seq))
            _check_message(ledger, key, message)
    _check_sent(ledger, places)
    stored = {(key, message.seq): message.client_id for key, messages in histories.items() for message in messages}
    for (key, seq), client_id in ledger.seen.items():
        if stored.get((key, seq)) != client_id:
            where = f"{ledger.story.name(client_id)} at {seq} of {ledger.story.name(key)}"
            ledger.story.accuse(HISTORY, f"does not have {where}, which was seen there")


def _check_sequence(ledger: Ledger, key: str, messages: Sequence[Message]) -> None:
    """Check promise 2: seqs are 1, 2, 3, … without gaps."""
    seqs = [message.seq for message in messages]
    if seqs != list(range(1, len(seqs) + 1)):
        ledger.story.accuse(HISTORY, f"has {seqs} in {ledger.story.name(key)}")


def _check_order(ledger: Ledger, key: str, messages: Sequence[Message]) -> None:
    """Check that a message which was acknowledged before another one was first sent stands before it."""
    latest, begun = None, 0
    for message in messages:
        sent = ledger.sent.get(message.client_id)
        if sent is None:
            continue
        if latest is not None and sent.acked is not None and sent.acked < begun:
            what = f"has {sent.label} behind {latest.label} in {ledger.story.name(key)}, but it was acknowledged before"
            ledger.story.accuse(HISTORY, f"{what} the other was sent")
        if sent.first > begun:
            latest, begun = sent, sent.first


def _check_message(ledger: Ledger, key: str, message: Message) -> None:
    """Check promise 1 for edits and deletions, and that history has nothing that was not sent."""
    sent = ledger.sent.get(message.client_id)
    if sent is None or (sent.sender, sent.conversation) != (message.sender, key):
        ledger.story.accuse(
            HISTORY, f"has {ledger.story.name(message.client_id)} in {ledger.story.name(key)}, not sent there"
        )
    elif not sent.may_end_with(message.text):
        ledger.story.accuse(HISTORY, f"shows {sent.label} as {message.text!r:.60}, in spite of what was acknowledged")


def _check_sent(ledger: Ledger, places: Mapping[str, Sequence[tuple[str, int]]]) -> None:
    """Check promises 1 and 3: what was acknowledged is in history, and what was sent is there once."""
    for sent in ledger.sent.values():
        found = places.get(sent.client_id, ())
        if sent.acked is not None and not found:
            ledger.story.accuse(HISTORY, f"has lost {sent.label}, which was acknowledged")
        if len(found) > 1:
            ledger.story.accuse(HISTORY, f"has {sent.label} {len(found)} times")
