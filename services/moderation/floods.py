"""Floods, repetition, and the same text from many senders, by counts over sliding windows.

Rule 1: times are those of the contents, so a content that is checked late is judged as of when it was said.
Rule 2: a content counts once, however often it is checked, and gets the same answer again.
Rule 3: memory is bounded. Of everything, what was seen last is kept: a flood of senders may push out the quiet ones,
but never the senders of floods.
Rule 4: the counts of a limit go by its name, so that they outlive a change of the rules.

The counts are in the memory of this process: each process of the service counts for itself.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Collection, Sequence
from enum import StrEnum

from cachetools import LRUCache
from msgspec import Struct

from chat.domain.moderation import Content
from services.moderation.streams import join_letters, squeeze_runs

REMEMBERED = 100_000


class Measure(StrEnum):
    """What a limit counts: a sender's messages, a sender's messages with one text, or senders with one text."""

    FLOOD = "flood"
    REPEAT = "repeat"
    COPIES = "copies"


class Limit(Struct, frozen=True, kw_only=True):
    """More than `most` of what is measured within `seconds`. Texts with fewer letters than `shortest` do not count.

    With `once`, the count begins afresh when it is over: of a flood, a moderator need not see every message.
    """

    name: str
    rule: int
    measure: Measure
    most: int
    seconds: float
    shortest: int = 0
    once: bool = False


class Floods:
    """The counts of every limit. At most `size` senders, texts and answers each are remembered (rule 3)."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._times: dict[str, LRUCache[int, deque[int]]] = {}  # rule 4
        self._senders: dict[str, LRUCache[int, OrderedDict[int, int]]] = {}
        self._answers: LRUCache[int, frozenset[str]] = LRUCache(size)

    def find_exceeded(self, content: Content, folded: str, limits: Sequence[Limit], rules: Collection[int]) -> set[int]:
        """Count a content, and return those of these rules whose limit it is over.

        All limits count it, also those of rules that do not hold in this conversation: their counts have to be right
        when the sender goes on elsewhere.
        """
        if not limits:
            return set()
        key = hash((content.sender, content.client_id, content.revision))
        over = self._answers.get(key)  # rule 2
        if over is None:
            stream = squeeze_runs(join_letters(folded))
            over = frozenset(limit.name for limit in limits if self._count_content(limit, content, stream))
            self._answers[key] = over
        return {limit.rule for limit in limits if limit.name in over and limit.rule in rules}

    def retain_limits(self, limits: Sequence[Limit]) -> None:
        """Forget the counts of other limits than these."""
        names = {limit.name for limit in limits}
        for counts in (self._times, self._senders):
            for name in counts.keys() - names:
                del counts[name]

    def count_entries(self) -> int:
        """How many counts and answers are kept."""
        times, senders = (sum(map(len, counts)) for counts in (self._times.values(), self._senders.values()))
        return len(self._answers) + times + senders

    def _count_content(self, limit: Limit, content: Content, stream: str) -> bool:
        if len(stream) < limit.shortest:
            return False
        since = content.ts - round(limit.seconds * 1000)  # rule 1
        if limit.measure is Measure.COPIES:
            return self._count_senders(limit, content, hash(stream), since)
        key = hash(content.sender if limit.measure is Measure.FLOOD else (content.sender, stream))
        kept = self._times.setdefault(limit.name, LRUCache(self._size))
        times = kept.get(key)
        if times is None or times.maxlen != limit.most + 1:  # a new key, or a limit that changed
            times = deque(times or (), limit.most + 1)  # one more than allowed is enough to see that it is too many
            kept[key] = times
        times.append(content.ts)
        over = sum(since < time <= content.ts for time in times) > limit.most
        if over and limit.once:
            times.clear()
        return over

    def _count_senders(self, limit: Limit, content: Content, key: int, since: int) -> bool:
        kept = self._senders.setdefault(limit.name, LRUCache(self._size))
        senders = kept.get(key)
        if senders is None:
            senders = OrderedDict()
            kept[key] = senders
        senders[hash(content.sender)] = content.ts
        senders.move_to_end(hash(content.sender))
        while len(senders) > limit.most + 1:
            senders.popitem(last=False)
        over = sum(since < time <= content.ts for time in senders.values()) > limit.most
        if over and limit.once:
            senders.clear()
        return over
