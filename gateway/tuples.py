"""Tuples that many hold and nobody changes, kept once: of a thousand members, most have nothing but the one room."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar, cast

T = TypeVar("T")


def intern_tuple(items: tuple[T, ...]) -> tuple[T, ...]:
    """An equal tuple that others hold, too, if it has one item and was asked for lately; else this one."""
    return cast("tuple[T, ...]", _intern_single(items)) if len(items) == 1 else items


@lru_cache(maxsize=1024)
def _intern_single(items: tuple[object, ...]) -> tuple[object, ...]:
    return items
