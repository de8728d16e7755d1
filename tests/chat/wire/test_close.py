"""Close codes, and who comes back from which."""

from __future__ import annotations

import pytest

from chat.wire.close import CloseCode, is_sendable, should_reconnect

COMES_BACK = {1001, 1005, 1006, 1011, 1012, 4008, 4029, 4408}


def test_the_codes_of_the_contract() -> None:
    assert {code.value for code in CloseCode if code >= 4000} == {4000, 4001, 4003, 4008, 4029, 4408}


@pytest.mark.parametrize("code", list(CloseCode))
def test_should_reconnect(code: CloseCode) -> None:
    assert should_reconnect(code) is (code in COMES_BACK)


@pytest.mark.parametrize("code", [0, 999, 1016, 2999, 3000, 3999, 4007, 4500, 4999, 5000])
def test_nobody_comes_back_from_a_code_that_is_not_ours(code: int) -> None:
    assert not should_reconnect(code)


@pytest.mark.parametrize("code", list(CloseCode))
def test_all_but_the_reserved_codes_can_be_sent(code: CloseCode) -> None:
    assert is_sendable(code) is (code not in {CloseCode.NO_STATUS, CloseCode.ABNORMAL})
