"""What is known of each conversation, so that every message comes once, across duplicates, holes and reconnects.

Rule 1: the cursor of a room is the seq of the last message passed on; only `cursor + 1` may follow.
Rule 2: a message at or below the cursor is a duplicate and is dropped.
Rule 3: a message beyond `cursor + 1` shows a hole. It is held back (within a bound), and the room is resumed with
`since` the cursor; what was not held back comes with the answer.
Rule 4: when the program's buffer is full, the cursor stays where it is: the messages come again by resuming.
Rule 5: what the server can no longer give shows as one `Missed`, and the cursor moves behind it.
Rule 6: after a backup was restored, seqs name other messages than before, and the server names another epoch: that
shows as one `Rewound`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from rookery.client.events import DirectMessageEvent, Event, MessageEvent, Missed, Rewound

HELD = 256
SEEN = 512
STALLS = 3

Offer = Callable[[Event], bool]
"""Passes an event on; False when there is no space for it."""


class Cursor:
    """What rooms and direct conversations share. `seq` is None until the first answer or event sets it."""

    def __init__(self, offer: Offer, *, room: str | None = None, with_: str | None = None) -> None:
        self.room = room
        self.with_ = with_
        self.seq: int | None = None
        self.epoch: str | None = None
        self.highest = 0
        self.behind = False
        self.suspect = False
        self.duplicates = 0
        self._offer = offer
        self._stalls = 0

    @property
    def is_incomplete(self) -> bool:
        """Whether there is, or may be, more than what was passed on."""
        return self.suspect or (self.seq is not None and self.highest > self.seq)

    def _skip_to(self, newest: int) -> None:
        """The server no longer has the messages up to `newest`."""
        seq = self.seq or 0
        self.highest = max(self.highest, newest)
        if newest > seq and not self._pass_on(Missed(self.room, seq + 1, newest, self.with_)):
            return
        self.seq = max(seq, newest)

    def _rewind_to(self, newest: int) -> None:
        if self._pass_on(Rewound(self.room, newest, self.with_)):
            self.seq = self.highest = newest
        else:
            self.suspect = True

    def _pass_on(self, event: Event) -> bool:
        if self.behind or not self._offer(event):
            self.behind = True
            return False
        return True

    def _skip_if_stalled(self, before: int | None, target: int) -> None:
        """After several answers without messages, give up on what the server does not deliver."""
        if self.behind or not self.is_incomplete or self.seq != before:
            self._stalls = 0
            return
        self._stalls += 1
        if self._stalls >= STALLS:
            self._stalls = 0
            self._skip_to(target)

    def _apply_outcome(self, since: int | None, newest: int, recovered: bool | None, epoch: str | None) -> None:
        """Apply what an answer says besides its messages."""
        known, self.epoch = self.epoch, epoch
        if since is None or recovered:
            self.highest = max(self.highest, newest)
        elif newest <= since or (known is not None and known != epoch):
            self._rewind_to(newest)  # rule 6; also where nothing seems to be missed, for then it was not too much
        else:
            self._skip_to(newest)


class RoomCursor(Cursor):
    """One room."""

    def __init__(self, room: str, offer: Offer, since: int | None = None) -> None:
        super().__init__(offer, room=room)
        self.seq = since
        self._ahead: dict[int, MessageEvent] = {}

    def take_live(self, message: MessageEvent) -> None:
        """Apply a `message` event."""
        self.highest = max(self.highest, message.seq)
        self._accept_message(message)
        self._drain_held()

    def apply_answer(
        self,
        since: int | None,
        newest: int,
        recovered: bool | None,
        messages: Sequence[MessageEvent],
        epoch: str | None = None,
    ) -> None:
        """Apply the answer to a `subscribe` that was sent with this `since`."""
        before = self.seq
        self.behind = self.suspect = False
        if self.seq is None:
            self.seq = newest if since is None else since
        for message in messages:
            self._accept_message(message)
        self._drain_held()
        self._apply_outcome(since, newest, recovered, epoch)
        self._drain_held()
        self._skip_if_stalled(before, min(self._ahead, default=self.highest + 1) - 1)
        self._drain_held()

    def note_gap(self) -> None:
        """Apply a `gap` event: live delivery was interrupted."""
        self.suspect = True

    def _rewind_to(self, newest: int) -> None:
        self._ahead.clear()
        super()._rewind_to(newest)

    def _accept_message(self, message: MessageEvent) -> None:
        if self.seq is not None and message.seq <= self.seq:
            self.duplicates += 1
        elif self.seq is not None and message.seq == self.seq + 1 and self._pass_on(message):
            self.seq = message.seq
        elif len(self._ahead) < HELD:
            self._ahead[message.seq] = message

    def _drain_held(self) -> None:
        """Pass on the messages that were held back and are next now."""
        if self.seq is None or not self._ahead:
            return
        while (message := self._ahead.get(self.seq + 1)) is not None and self._pass_on(message):
            self.seq = message.seq
        for seq in [seq for seq in self._ahead if seq <= self.seq]:
            del self._ahead[seq]


def _key_of(message: DirectMessageEvent) -> tuple[str, str]:
    """What names a direct message. Events have its `client_id` as it was sent, and its case does not matter."""
    return message.from_.id, message.client_id.lower()


class DirectCursor(Cursor):
    """One direct conversation.

    A live copy carries no `seq`; `stored` gives it later. So copies are passed on as they come, each `(sender,
    client_id)` once, and the cursor follows `stored`: it shows which copies never came.
    """

    def __init__(self, me: str, with_: str, offer: Offer) -> None:
        super().__init__(offer, with_=with_)
        self._me = me
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    def take_live(self, message: DirectMessageEvent) -> None:
        """Apply a `dm` event."""
        key = _key_of(message)
        if key in self._seen or (message.seq and self.seq is not None and message.seq <= self.seq):
            self.duplicates += 1
        elif self._pass_on(message):
            self._remember_message(key)

    def note_stored(self, seq: int, client_id: str) -> bool:
        """Apply a `stored` event; whether it was new."""
        if self.seq is not None and seq <= self.seq:
            return False
        self.highest = max(self.highest, seq)
        name = client_id.lower()
        known = (self._me, name) in self._seen or (self.with_ or "", name) in self._seen
        if self.seq is None:
            self.seq = seq - 1
        if known and seq == self.seq + 1:
            self.seq = seq
        return True

    def apply_answer(
        self,
        since: int | None,
        newest: int,
        recovered: bool | None,
        messages: Sequence[DirectMessageEvent],
        epoch: str | None = None,
    ) -> None:
        """Apply the answer to a `sync` that was sent with this `since`."""
        before = self.seq
        self.behind = self.suspect = False
        if self.seq is None:
            self.seq = since or 0
        for message in messages:
            if not self._recover_message(message):
                break
        self._apply_outcome(since, newest, recovered, epoch)
        self._skip_if_stalled(before, self.highest)

    def note_gap(self, from_seq: int) -> None:
        """Apply a `gap` event: live delivery was interrupted at `from_seq`."""
        self.suspect = True
        if self.seq is None:
            self.seq = max(0, from_seq - 1)

    def _recover_message(self, message: DirectMessageEvent) -> bool:
        """Pass on a message of history; False when there is no space for it."""
        if message.seq is None or message.seq <= (self.seq or 0):
            return True
        key = _key_of(message)
        if key not in self._seen:
            if not self._pass_on(message):
                return False
            self._remember_message(key)
        self.seq = message.seq
        return True

    def _remember_message(self, key: tuple[str, str]) -> None:
        self._seen[key] = None
        if len(self._seen) > SEEN:
            self._seen.popitem(last=False)
