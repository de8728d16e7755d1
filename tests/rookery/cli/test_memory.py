"""Memory that a flood left behind goes back to the system."""

from __future__ import annotations

import anyio
import pytest

from rookery.cli.memory import KEPT_BYTES, GlibcAllocator, find_allocator, release_free_memory, should_trim
from tests.support.clocks import time_passes

MIB = 2**20


class FakeAllocator:
    """One whose free pages are in memory until the heaps are trimmed."""

    def __init__(self) -> None:
        self.used = 100 * MIB
        self.kept = 0
        self.given_back = 0
        self.trims = 0

    def count_resident_bytes(self) -> int:
        return self.used + self.kept

    def count_free_bytes(self) -> int:
        return self.kept + self.given_back

    def trim_heaps(self) -> None:
        self.given_back += self.kept
        self.kept = 0
        self.trims += 1


@pytest.mark.parametrize(
    ("resident", "before", "free", "trim"),
    [
        (600 * MIB, 100 * MIB, 400 * MIB, True),
        (600 * MIB, 100 * MIB, KEPT_BYTES, False),  # in use
        (600 * MIB, 599 * MIB, 400 * MIB, False),  # given back before
        (100 * MIB, 600 * MIB, 400 * MIB, False),
    ],
)
def test_heaps_are_trimmed_when_much_is_free_and_in_memory(resident: int, before: int, free: int, trim: bool) -> None:
    assert should_trim(resident, before, free) is trim


@time_passes
@pytest.mark.anyio
async def test_a_flood_is_given_back_once() -> None:
    allocator = FakeAllocator()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(release_free_memory, allocator)
        await anyio.sleep(100)
        assert allocator.trims == 0
        for trims in (1, 2):
            allocator.kept = 400 * MIB
            while allocator.kept:  # noqa: ASYNC110 - a thread trims, and the clock jumps meanwhile
                await anyio.sleep(1)
            await anyio.sleep(100)
            assert (allocator.trims, allocator.count_resident_bytes()) == (trims, 100 * MIB)
        tasks.cancel_scope.cancel()


def test_glibc_counts_what_is_free_and_gives_it_back() -> None:
    allocator = find_allocator()
    if allocator is None:
        pytest.skip("this system has another allocator")
    assert isinstance(allocator, GlibcAllocator)
    blocks = [bytes(1000) + bytes([n % 256]) for n in range(100_000)]
    pins = blocks[::1000]  # so that the heap cannot shrink at its end
    resident, free = allocator.count_resident_bytes(), allocator.count_free_bytes()
    del blocks
    assert allocator.count_free_bytes() > free + 50 * MIB
    allocator.trim_heaps()
    assert allocator.count_resident_bytes() < resident - 50 * MIB
    assert len(pins) == 100
