"""Packed ids come back as they were."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.engines.packing import pack, unpack


@given(st.uuids())
def test_uuid_takes_16_bytes(value: uuid.UUID) -> None:
    assert pack(str(value)) == value.bytes
    assert unpack(value.bytes) == str(value)


@given(st.text(alphabet="0123456789abcdefABCDEF- ", min_size=30, max_size=40) | st.text() | st.uuids().map(str))
def test_every_string_comes_back(value: str) -> None:
    assert unpack(pack(value)) == value


@pytest.mark.parametrize(
    "value", ["0123ABCD-0123-4567-89AB-0123456789AB", "01234567-0123-4567-89ab-0123456789a ", "-" * 36, ""]
)
def test_what_only_resembles_a_uuid_is_kept_as_it_is(value: str) -> None:
    assert pack(value) == value
