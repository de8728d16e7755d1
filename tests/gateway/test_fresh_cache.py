"""The cache of the edge: an answer is used for a limited time, and the cache is bounded."""

from __future__ import annotations

from gateway.fresh_cache import FreshCache
from gateway.wheel import Wheel


def test_a_value_is_used_until_it_is_too_old() -> None:
    wheel = Wheel()
    cache: FreshCache[bool] = FreshCache(wheel, 10.0, 5)
    assert cache.get_value("room") is None
    cache.put_value("room", False)
    wheel.now = 10.0
    assert cache.get_value("room") is False
    wheel.now = 10.1
    assert cache.get_value("room") is None


def test_a_value_that_is_read_again_is_fresh_again() -> None:
    wheel = Wheel()
    cache: FreshCache[bool] = FreshCache(wheel, 10.0, 5)
    cache.put_value("room", False)
    wheel.now = 11.0
    cache.put_value("room", True)
    assert cache.get_value("room") is True


def test_of_too_many_values_the_oldest_goes() -> None:
    cache: FreshCache[int] = FreshCache(Wheel(), 10.0, 2)
    for number, key in enumerate("abac"):
        cache.put_value(key, number)
    assert [cache.get_value(key) for key in "abc"] == [2, None, 3]


def test_a_value_that_was_dropped_is_unknown() -> None:
    cache: FreshCache[int] = FreshCache(Wheel(), 10.0, 2)
    cache.put_value("a", 1)
    cache.drop_value("a")
    cache.drop_value("b")
    assert cache.get_value("a") is None
