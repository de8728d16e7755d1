"""Masking (RFC 6455, section 5.3) against its definition."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.websocket.masking import MEDIUM, SHAPED, SHORT, unmask_payload


@given(st.binary(max_size=2000), st.binary(min_size=4, max_size=4))
@settings(max_examples=100)
def test_every_byte_meets_the_byte_of_the_key_that_falls_on_it(payload: bytes, key: bytes) -> None:
    masked = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
    assert unmask_payload(masked, key) == payload
    assert unmask_payload(payload, key) == masked


def test_there_is_a_shape_for_every_short_length() -> None:
    assert [SHORT[0x80 | n][0] for n in range(126)] == list(range(126))
    assert [MEDIUM[(n & 255) << 8 | n >> 8][0] for n in range(126, SHAPED)] == list(range(126, SHAPED))
    assert len(SHORT) == 126
    assert len(MEDIUM) == SHAPED - 126


@pytest.mark.parametrize("second", [0, 125, 126, 127, 254, 255])
def test_an_unmasked_or_long_frame_has_no_short_shape(second: int) -> None:
    assert second not in SHORT
