"""The contract of `chat.ports.history.History.search`."""

from __future__ import annotations

from typing import Any

import pytest

from chat.domain.contents import TextContent
from chat.domain.cursors import FoundPlace
from chat.domain.models import Message, Room, Visibility
from chat.domain.records import Deleted, Edited, Moderated
from chat.domain.terms import search_terms
from chat.ports.history import FoundPage, History, Query
from tests.support.builders import ANN, ANN_AND_BEN, ATTIC, BEN, HALL, NOW, ROOM, make_message, make_messages, make_user
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio


@pytest.fixture
async def history(stores: Stores) -> History:
    """History without any."""
    return stores.history


async def search(history: History, text: str, *, conversations: tuple[str, ...] = (HALL,), **fields: Any) -> FoundPage:
    return await history.search_messages(Query(terms=search_terms(text), conversations=conversations, **fields))


async def found(history: History, text: str, **fields: Any) -> list[int]:
    return [message.seq for message in (await search(history, text, **fields)).messages]


async def test_every_term_must_occur(history: History) -> None:
    texts = ["the quick brown fox", "The QUICK dog", "a brown dog", "quicker"]
    await history.apply_batch([make_message(seq, text=text) for seq, text in enumerate(texts, 1)], [])
    assert await found(history, "quick") == [4, 2, 1]
    assert await found(history, "quick brown") == [1]
    assert await found(history, "dog Quick") == [2]
    assert await found(history, "fox dog") == []
    assert await found(history, "cat") == []


async def test_a_search_without_terms_finds_what_other_conditions_leave(history: History) -> None:
    messages = [make_message(seq, text="?!", sender=ANN if seq % 2 else BEN) for seq in range(1, 8)]
    withdrawn = Deleted(conversation=HALL, actor=ANN, ts=NOW, seq=3)
    await history.apply_batch([*messages, make_message(1, ATTIC, ts=0)], [withdrawn])
    assert await found(history, "") == [7, 6, 5, 4, 2, 1]
    assert await found(history, "", sender=ANN) == [7, 5, 1]
    assert await found(history, "", since=messages[3].ts, before=messages[5].ts) == [5, 4]
    first = await search(history, "", limit=2, sender=BEN)
    assert ([message.seq for message in first.messages], first.more) == ([6, 4], True)
    assert await found(history, "", limit=2, sender=BEN, after=first.end) == [2]
    assert await found(history, "", conversations=(HALL, ATTIC), before=1) == [1]


async def test_a_time_since_which(history: History) -> None:
    messages = [make_message(seq, text="word") for seq in range(1, 7)]
    await history.apply_batch(messages, [])
    assert await found(history, "word", since=messages[3].ts) == [6, 5, 4]
    assert await found(history, "word", since=messages[5].ts + 1) == []


@pytest.mark.parametrize(
    ("text", "contents"),
    [
        ("see https://example.org/a", {TextContent.LINK}),
        ("HTTP://EXAMPLE.ORG", {TextContent.LINK}),
        ("(www.example.org)", {TextContent.LINK}),
        ("https:// alone, awww.", set()),
        ("call `f(x)` now", {TextContent.CODE}),
        ("```\ncode\n```", {TextContent.CODE}),
        ("`open\nand` not", set()),
        ("``", set()),
        ("`curl http://example.org`", {TextContent.LINK, TextContent.CODE}),
        ("plain", set()),
    ],
)
async def test_texts_with_links_or_code(history: History, text: str, contents: set[TextContent]) -> None:
    await history.apply_batch([make_message(1, text=f"word {text}"), make_message(2, text="word")], [])
    for wanted in ([TextContent.LINK], [TextContent.CODE], [TextContent.LINK, TextContent.CODE]):
        expected = [1] if contents.issuperset(wanted) else []
        assert await found(history, "word", contents=wanted) == expected
        assert await found(history, "", contents=wanted) == expected


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Ein Stück Käse für Zoë", "kase STUCK zoe"),
        ("Straße nach Łódź", "STRASSE łódź"),
        ("สวัสดีชาวโลก ภาษาไทย", "ภาษาไทย"),
        ("नमस्ते दुनिया हिन्दी", "हिन्दी"),
        ("مرحبا بالعالم العربية", "العربية"),
        ("שלום עולם", "עולם"),
        ("Привет, мир! Ёлка", "елка ПРИВЕТ"),
        ("我们明天在北京见面", "北京"),
        ("東京タワーに行く", "タワー"),
        ("안녕하세요 세계", "세계"),
        ("great🎉party👍🏽now", "party"),
        ("in 2026 it cost 1,234.50 €, room_42", "1 42 2026"),
        ("𝔉𝔞𝔫𝔠𝔶 ﬁne ①", "fancy fine 1"),
        ("C++ and C# or .NET", "c net"),
        ('it\'s "quoted" NOT (a OR b) AND near*', "not or and near quoted"),
        ("x" * 70, "X" * 70),
    ],
)
async def test_terms_of_every_script(history: History, text: str, asked: str) -> None:
    await history.apply_batch([make_message(1, text=text), make_message(2, text="something else")], [])
    assert await found(history, asked) == [1]


@pytest.mark.parametrize(
    ("asked", "with_it", "without_it"),
    [
        ("猫", "私は猫が好き", "私は犬が好き"),
        ("き", "私は猫が好き", "私は猫"),
        ("北京", "我们明天在北京见面", "北方和东京"),
        ("ภาษา", "ฉันรักภาษาไทยมาก", "ฉันรักประเทศไทย"),
        ("ພາສາ", "ຂ້ອຍຮັກພາສາລາວ", "ຂ້ອຍຮັກເມືອງລາວ"),
        ("ភាសា", "ខ្ញុំស្រលាញ់ភាសាខ្មែរ", "ខ្ញុំស្រលាញ់ខ្មែរ"),
        ("हिन्दी", "मुझे हिन्दी आती है", "मुझे हिन्दु आती है"),
        ("कि", "वह कि", "वह का"),
        ("пиццы", "мы ели пиццу", "мы ели суп"),
        ("пицца", "без пиццы", "без пива"),
        ("ёлками", "Ёлка", "ель"),
        ("running", "He runs", "He rules"),
        ("parties now", "the party now", "the part now"),
        ("piz", "pizzeria", "plaza"),
        ("Приве", "привет", "прибой"),
        ("안", "안녕하세요", "세계"),
        ("cafés", "un café", "un cab"),
        ("می‌خواهم", "من میخواهم", "من می"),
        ("Zoë", "ZOË", "Zo"),
        ("so­ft", "soft", "sort"),
    ],
)
async def test_words_are_found_as_their_language_writes_them(
    history: History, asked: str, with_it: str, without_it: str
) -> None:
    await history.apply_batch([make_message(1, text=with_it), make_message(2, text=without_it)], [])
    assert await found(history, asked) == [1]
    edit = Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text=without_it)
    assert list(await history.apply_batch([], [edit])) == [True]
    assert await found(history, asked) == []


async def test_only_the_last_word_may_be_unfinished(history: History) -> None:
    await history.apply_batch([make_message(1, text="pizza margherita"), make_message(2, text="pizzeria mar")], [])
    assert await found(history, "pizza mar") == [1]
    assert await found(history, "piz mar") == []
    assert await found(history, "mar piz") == [2]
    assert await found(history, "m") == []


async def test_only_in_the_conversations_given(history: History) -> None:
    await history.apply_batch([make_message(1, place, text="word") for place in (HALL, ATTIC, ANN_AND_BEN)], [])
    page = await search(history, "word", conversations=(ATTIC, ANN_AND_BEN, "room:none"))
    assert sorted(message.conversation for message in page.messages) == sorted((ATTIC, ANN_AND_BEN))
    assert await found(history, "word", conversations=()) == []


async def test_newest_first_over_all_conversations(history: History) -> None:
    hall = [make_message(seq, text="word", ts=NOW + at) for seq, at in ((1, 10), (2, 30), (3, 50))]
    attic = [make_message(seq, ATTIC, text="word", ts=NOW + at) for seq, at in ((1, 20), (2, 40))]
    await history.apply_batch([*hall, *attic], [])
    page = await search(history, "word", conversations=(HALL, ATTIC))
    assert [message.ts - NOW for message in page.messages] == [50, 40, 30, 20, 10]
    assert not page.more


async def test_sender_and_time(history: History) -> None:
    messages = [make_message(seq, text="word", sender=ANN if seq % 2 else BEN) for seq in range(1, 7)]
    await history.apply_batch(messages, [])
    assert await found(history, "word", sender=BEN) == [6, 4, 2]
    assert await found(history, "word", before=messages[3].ts) == [3, 2, 1]
    assert await found(history, "word", sender=ANN, before=messages[4].ts) == [3, 1]
    assert await found(history, "word", before=0) == []


async def test_pages_of_many_hits(history: History) -> None:
    messages = make_messages(150, text="word")
    await history.apply_batch(messages, [])
    first = await search(history, "word", limit=100)
    rest = await search(history, "word", limit=100, before=first.messages[-1].ts)
    assert [message.seq for message in first.messages] == list(range(150, 50, -1))
    assert [message.seq for message in rest.messages] == list(range(50, 0, -1))
    assert (first.more, rest.more) == (True, False)
    exact = await search(history, "word", limit=150)
    assert (len(exact.messages), exact.more) == (150, False)


@pytest.mark.parametrize("limit", [1, 7, 50])
async def test_pages_by_cursor_show_each_message_once_and_in_order(history: History, limit: int) -> None:
    """Also in bursts: of many messages in one millisecond, in several conversations, with the same seqs."""
    places = (HALL, ATTIC, ANN_AND_BEN)
    bursts = [make_message(seq, place, text="word", ts=NOW + seq // 30) for place in places for seq in range(1, 61)]
    await history.apply_batch(bursts, [])
    expected = sorted(bursts, key=lambda message: FoundPlace(message.ts, message.seq, message.conversation).order)
    seen: list[Message] = []
    after = None
    for _ in range(len(bursts) // limit + 1):
        page = await search(history, "word", conversations=places, limit=limit, after=after)
        seen += page.messages
        after = page.end
        assert page.more is (after is not None)
        if after is None:
            break
    assert [(m.conversation, m.seq) for m in seen] == [(m.conversation, m.seq) for m in expected]


async def test_a_cursor_stays_where_it_is_while_others_write(history: History) -> None:
    await history.apply_batch([make_message(seq, text="word") for seq in range(1, 7)], [])
    first = await search(history, "word", limit=2)
    await history.apply_batch([make_message(7, text="word")], [Deleted(conversation=HALL, actor=ANN, ts=NOW, seq=5)])
    second = await search(history, "word", limit=2, after=first.end)
    assert [message.seq for message in (*first.messages, *second.messages)] == [6, 5, 4, 3]
    last = await search(history, "word", limit=2, after=second.end, before=NOW + 10**9)
    assert ([message.seq for message in last.messages], last.more, last.end) == ([2, 1], False, None)
    assert await found(history, "word", after=second.end, before=0) == []


async def test_edited_text_is_found_and_the_earlier_is_not(history: History) -> None:
    await history.apply_batch([make_message(1, text="old word")], [])
    await history.apply_batch([], [Edited(conversation=HALL, actor=ANN, ts=NOW, seq=1, text="new word")])
    assert await found(history, "old") == []
    assert await found(history, "new") == [1]
    assert await found(history, "word") == [1]


async def test_withdrawn_text_is_not_found(history: History) -> None:
    await history.apply_batch(make_messages(3, text="word"), [])
    deleted = Deleted(conversation=HALL, actor=ANN, ts=NOW, seq=1)
    moderated = Moderated(conversation=HALL, actor="moderation", ts=NOW, seq=3, reason="spam")
    await history.apply_batch([], [deleted, moderated])
    assert await found(history, "word") == [2]


async def test_search_sees_what_was_stored_just_before(history: History) -> None:
    for seq in range(1, 400):
        await history.apply_batch([make_message(seq, text=f"word number{seq}")], [])
        if seq % 50 == 0:
            assert await found(history, f"number{seq} word") == [seq]
    assert len(await found(history, "word", limit=1000)) == 399


async def test_deleted_room_is_not_found(history: History, stores: Stores) -> None:
    await stores.accounts.create_user(make_user(ANN), None)
    await stores.rooms.create_room(Room(id=ROOM, name="Hall", visibility=Visibility.PUBLIC), ANN)
    await history.apply_batch(make_messages(3, text="word"), [])
    await stores.rooms.delete_room(ROOM)
    assert await found(history, "word") == []
