"""The last `seq` of each conversation, as far as this process knows.

It is a cache, and may be stale: another writer may have owned the partition meanwhile. Then the history's unique
indexes refuse what is stored (`Fenced`), and the conversations concerned are forgotten and loaded again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping

from chat.ports.history import History

MAX_CONVERSATIONS = 50_000


class Sequencer:
    """The sequences of at most `max_conversations`; the least recently used is forgotten, and loaded when needed."""

    def __init__(self, history: History, *, max_conversations: int = MAX_CONVERSATIONS) -> None:
        self._history = history
        self._max = max_conversations
        # Not one of cachetools: each message asks it twice, and an OrderedDict answers in half the time.
        self._last: OrderedDict[str, int] = OrderedDict()

    def last_seqs(self, conversations: Collection[str]) -> dict[str, int] | None:
        """The last seq of each (0: none yet); None when one must be loaded first. The answer is the caller's own."""
        last = self._last
        try:
            return {conversation: last[conversation] for conversation in conversations}
        except KeyError:
            return None

    async def load_seqs(self, conversations: Collection[str]) -> dict[str, int]:
        """As `last`, but asks history for those that are not known, in one call."""
        unknown = [conversation for conversation in conversations if conversation not in self._last]
        newest = await self._history.newest_seqs(unknown)
        return {c: self._last[c] if c in self._last else newest[c] for c in conversations}

    def advance_seqs(self, last: Mapping[str, int]) -> None:
        """Note what was stored."""
        for conversation, seq in last.items():
            self._last[conversation] = seq
            self._last.move_to_end(conversation)
        while len(self._last) > self._max:
            self._last.popitem(last=False)

    def forget_seqs(self, conversations: Collection[str]) -> None:
        """Drop these: their last seqs may be wrong."""
        for conversation in conversations:
            self._last.pop(conversation, None)

    def __len__(self) -> int:
        """How many conversations are known."""
        return len(self._last)
