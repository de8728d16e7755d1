"""Notices in records: packed by conversation, in order, and what is none is poison."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chat.domain.ids import new_id
from chat.errors import Poison
from chat.wire.notices import (
    MOST_IN_RECORD,
    EditNotice,
    Notice,
    NoticedMessage,
    WithdrawalNotice,
    decode_notices,
    encode,
    encode_notices,
)
from tests.support.builders import make_message


def test_notices_are_packed_in_order_and_a_conversation_keeps_its_key() -> None:
    messages = [make_message(number, f"room:{number % 5}") for number in range(1, 300)]
    changes = [WithdrawalNotice(conversation=f"room:{number % 7}", seq=number) for number in range(5 * MOST_IN_RECORD)]
    keys: dict[str, set[str]] = {}
    stored: dict[str, list[int]] = {}
    withdrawn: dict[str, list[int]] = {}
    for key, value in encode_notices(messages[::-1], changes):
        some = decode_notices(value)
        assert len(some) <= MOST_IN_RECORD
        for each in some:
            keys.setdefault(each.conversation, set()).add(key)
            if isinstance(each, Notice):
                assert each.conversation not in withdrawn  # what is withdrawn was stored before
                stored.setdefault(each.conversation, []).extend(message.seq for message in each.messages)
            else:
                assert isinstance(each, WithdrawalNotice)
                withdrawn.setdefault(each.conversation, []).append(each.seq)
    assert all(len(some) == 1 for some in keys.values())
    assert all(seqs == sorted(seqs) for seqs in (*stored.values(), *withdrawn.values()))
    assert sum(map(len, stored.values())) == len(messages)
    assert sum(map(len, withdrawn.values())) == len(changes)


@pytest.mark.parametrize("count", [0, 1, 9, MOST_IN_RECORD, MOST_IN_RECORD + 1])
def test_batches_of_every_size_have_the_same_notices_for_one_key_as_for_many(count: int) -> None:
    messages = [
        replace(
            make_message(number, f"room:{number % 7}"),
            sender=f"u{number % 3}",
            mentions=("u0",) if number % 5 == 1 else (),
            reply_to=1 if number % 4 == 3 else None,
        )
        for number in range(count, 0, -1)
    ]
    one, many = (
        [notice for _, value in encode_notices(messages, keys=keys) for notice in decode_notices(value)]
        for keys in (1, 1000)
    )
    assert len(one) == min(count, 7)
    assert {each.conversation: each for each in one} == {each.conversation: each for each in many}
    assert all(isinstance(each, Notice) and [*each.messages] == sorted(each.messages, key=seq_of) for each in one)


def seq_of(message: NoticedMessage) -> int:
    return message.seq


def test_a_notice_has_of_each_message_what_the_message_has() -> None:
    ann, ben = new_id(), new_id()
    messages = [
        replace(make_message(number, f"room:{number % 150}"), sender=(ann, ben)[number % 2]) for number in range(1, 400)
    ]
    messages[7] = replace(messages[7], mentions=(ben,))
    messages[8] = replace(messages[8], reply_to=3)
    expected = {
        (each.conversation, NoticedMessage(each.seq, each.sender, each.mentions, each.reply_to)) for each in messages
    }
    records = [decode_notices(value) for _, value in encode_notices(messages, keys=1, traces={"room:1": "a trace"})]
    notices = [notice for record in records for notice in record if isinstance(notice, Notice)]
    assert {(notice.conversation, each) for notice in notices for each in notice.messages} == expected
    assert {notice.conversation for notice in notices if notice.trace} == {"room:1"}
    assert len(records) == 2


def test_what_is_no_notice_is_poison() -> None:
    good = Notice(conversation="room:x", messages=(NoticedMessage(1, "ann", ("bob",), 3), NoticedMessage(2, "bob")))
    edit = EditNotice(conversation="room:x", seq=1, ts=1, mentions=("bob",))
    for each in (good, edit, WithdrawalNotice(conversation="room:x", seq=1)):
        assert decode_notices(encode(each)) == (each,)
    ((_, packed),) = encode_notices([make_message(1, "room:x")])
    unknown_sender = packed.replace(b"[[1,0]]", b"[[1,1]]")
    below_zero = packed.replace(b"[[1,0]]", b"[[1,-1]]")
    assert packed not in {unknown_sender, below_zero}
    other_kind = encode(good).replace(b'"messages"', b'"other"', 1)
    for bad in (b"", b"{}", b"[" * 10_000, b"\xff", other_kind, unknown_sender, below_zero):
        with pytest.raises(Poison):
            decode_notices(bad)
