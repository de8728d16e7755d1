"""Cursors as clients hand them back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.domain.cursors import CURSOR_LENGTH, RoomPlace, UserPlace, pack_cursor, unpack_cursor
from chat.errors import Invalid

TEXTS = st.text(st.characters(codec="utf-8"), max_size=240)  # 80, folded


@given(TEXTS, TEXTS)
def test_a_cursor_comes_back_as_it_was_and_needs_no_escapes(folded: str, id_: str) -> None:
    cursor = RoomPlace(folded, id_)
    text = pack_cursor(cursor)
    assert unpack_cursor(text, RoomPlace) == cursor
    assert text.replace("-", "a").replace("_", "a").isalnum()
    assert len(text) <= CURSOR_LENGTH


@given(st.text(max_size=5000))
def test_no_text_makes_unpacking_fail_otherwise(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        unpack_cursor(text, RoomPlace)
    assert caught.value.field == "cursor"


def test_a_cursor_of_another_kind_of_page_is_refused() -> None:
    with pytest.raises(Invalid, match="leave it out to begin anew"):
        unpack_cursor(pack_cursor(UserPlace("ann")), RoomPlace)
