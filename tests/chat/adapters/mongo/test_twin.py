"""MongoDB and SQLite tell the same of the same history: random batches go to both, and everything is asked of both."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from chat.domain.conversations import dm_key
from chat.domain.models import Message
from chat.domain.records import Deleted, Edited, Moderated, Reacted, Read
from chat.domain.terms import search_terms
from chat.engines.database import Database, InlineExecutor
from chat.engines.history import SqliteHistory
from chat.engines.schema import STORE
from chat.ports.history import Change, History, Query
from tests.support.builders import ANN, BEN, CAT, DAN, HALL, NAMES, NOW
from tests.support.mongo import migrated_database, stores_of

pytestmark = [pytest.mark.anyio, pytest.mark.production]
PLACES = (HALL, "room:attic", dm_key(ANN, BEN), dm_key(BEN, CAT))
PEOPLE = (ANN, BEN, CAT, DAN)
WORDS = ("alpha", "Beta", "GAMMA", "délta", "straße", "北京见面", "x", "42", "don't", "👍", "épsilon", "zeta-eta")
BATCHES = 12


class Chance:
    """The same batches for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._last = dict.fromkeys(PLACES, 0)
        self._now = NOW

    def text(self) -> str:
        return " ".join(self._random.choices(WORDS, k=self._random.randint(1, 5)))

    def batch(self) -> tuple[list[Message], list[Change]]:
        messages = [self._message() for _ in range(self._random.randint(0, 8))]
        return messages, [self._change() for _ in range(self._random.randint(0, 10))]

    def _message(self) -> Message:
        place, sender = self._random.choice(PLACES), self._random.choice(PEOPLE)
        self._last[place] += 1
        self._now += self._random.randint(1, 5)
        return Message(
            conversation=place,
            seq=self._last[place],
            sender=sender,
            sender_name=NAMES[sender],
            text=self.text(),
            ts=self._now,
            client_id=str(self._random.getrandbits(64)),
            reply_to=self._random.choice((None, 1)),
            mentions=tuple(self._random.sample(PEOPLE, self._random.randint(0, 2))),
        )

    def _change(self) -> Change:
        place = self._random.choice(PLACES)
        common: dict[str, Any] = {
            "conversation": place,
            "actor": self._random.choice(PEOPLE),
            "ts": NOW + self._random.randint(0, 3),
            "seq": self._random.randint(0, self._last[place] + 1),
        }
        kind = self._random.choice((Edited, Edited, Deleted, Reacted, Reacted, Reacted, Read, Read, Moderated))
        if kind is Edited:
            return Edited(**common, text=self.text())
        if kind is Reacted:
            return Reacted(**common, emoji=self._random.choice("👍🎉"), remove=self._random.random() < 0.4)
        if kind is Deleted:
            return Deleted(**common, by_moderator=self._random.random() < 0.2)
        return Moderated(**common, reason="spam") if kind is Moderated else Read(**common)

    def query(self) -> Query:
        return Query(
            terms=search_terms(self.text()),
            conversations=self._random.sample(PLACES, self._random.randint(0, len(PLACES))),
            sender=self._random.choice((None, None, *PEOPLE)),
            before=self._random.choice((None, NOW + self._random.randint(0, 200))),
            limit=self._random.choice((1, 3, 50)),
        )


async def everything(history: History, keys: Sequence[tuple[str, str]], queries: Sequence[Query]) -> list[Any]:
    """All that a history tells."""
    told: list[Any] = [await history.newest_seqs(PLACES), await history.find_by_client_ids(keys)]
    for place in PLACES:
        told.append(await history.messages_since(place, 2, limit=1000, max_bytes=10**6))
        told.append(await history.messages_since(place, 0, limit=9, max_bytes=10**6))
        told.append(await history.read_marks(place))
        for before, after, limit in ((None, None, 5), (4, None, 2), (4, None, 3), (None, 1, 3), (None, 0, 500)):
            page = await history.read_page(place, before=before, after=after, limit=limit)
            told.append((list(page.messages), page.more))
        for seq in range(6):
            told += [await history.get_message(place, seq), list(await history.earlier_texts(place, seq))]
    for person in PEOPLE:
        told += [await history.summarize_conversations(person, PLACES), list(await history.list_dms(person))]
    for query in queries:
        hits = await history.search_messages(query)
        told.append((list(hits.messages), hits.more, hits.end is None))
    return told


@pytest.mark.parametrize("seed", range(4))
async def test_both_tell_the_same(seed: int) -> None:
    chance, keys = Chance(seed), []
    async with (
        migrated_database() as mongo,
        Database.open(None, executor=InlineExecutor(), schema=STORE, commit_interval_ms=0) as database,
    ):
        ours: History = stores_of(mongo)[2]
        theirs: History = SqliteHistory(database)
        for _ in range(BATCHES):
            messages, changes = chance.batch()
            keys += [(message.sender, message.client_id) for message in messages]
            outcomes = list(await ours.apply_batch(messages, changes))
            assert outcomes == list(await theirs.apply_batch(messages, changes))
            if changes:
                again = [change for change in changes if not isinstance(change, Reacted)]
                assert list(await ours.apply_batch([], again)) == list(await theirs.apply_batch([], again))
        queries = [chance.query() for _ in range(40)]
        assert await everything(ours, keys, queries) == await everything(theirs, keys, queries)
