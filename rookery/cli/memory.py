"""Memory that a flood left behind goes back to the system.

The allocator of glibc keeps what was freed: after 500 large bodies that were never finished, a process with no
connection held 600 MB, of which 390 MB were free. It gives back only what lies at the end of its heap, and raises the
size from which a block is mapped by itself with each such block that is freed (mallopt(3), `M_MMAP_THRESHOLD`). So the
process looks from time to time, and has the free pages given back (malloc_trim(3)) when there are many.

Another allocator, as musl's or jemalloc, lacks these functions and does as it does: then nothing happens here.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Protocol

import anyio
import anyio.to_thread

LOOK_SECONDS = 30.0
KEPT_BYTES = 32 * 2**20
"""What may stay free, or grow between two looks, without being given back: the next peak finds it faster there."""

_STATM = Path("/proc/self/statm")


class Allocator(Protocol):
    """What is asked of the allocator of the process."""

    def count_resident_bytes(self) -> int:
        """Bytes of the process that are in memory."""
        ...

    def count_free_bytes(self) -> int:
        """Bytes that were freed and stand in the allocator's heaps, whether or not they are in memory."""
        ...

    def trim_heaps(self) -> None:
        """Give the free pages back to the system. It takes milliseconds, and runs in a thread."""
        ...


class _Mallinfo2(ctypes.Structure):
    """`struct mallinfo2` of mallinfo2(3): `fordblks` counts the free bytes. It is the ninth of ten numbers."""

    _fields_ = (("before", ctypes.c_size_t * 8), ("fordblks", ctypes.c_size_t), ("keepcost", ctypes.c_size_t))
    fordblks: int


class GlibcAllocator:
    """The allocator of glibc, from 2.33 on. Raises `AttributeError` or `OSError` where there is another one."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None)
        self._mallinfo2 = libc.mallinfo2
        self._mallinfo2.restype = _Mallinfo2
        self._malloc_trim = libc.malloc_trim
        self._page = os.sysconf("SC_PAGE_SIZE")
        _STATM.read_bytes()

    def count_resident_bytes(self) -> int:
        return int(_STATM.read_bytes().split()[1]) * self._page

    def count_free_bytes(self) -> int:
        info: _Mallinfo2 = self._mallinfo2()
        return info.fordblks

    def trim_heaps(self) -> None:
        self._malloc_trim(0)


def find_allocator() -> Allocator | None:
    """The allocator of this process; None if it is not glibc's."""
    try:
        return GlibcAllocator()
    except (AttributeError, OSError):
        return None


def should_trim(resident: int, resident_before: int, free: int) -> bool:
    """Whether so much is free that giving it back is worth a few milliseconds.

    `resident_before` is what stayed after the last time. Pages that were given back count as `free` still: so the
    process must also have grown since.
    """
    return free > KEPT_BYTES and resident > resident_before + KEPT_BYTES


async def release_free_memory(allocator: Allocator) -> None:
    """Look every `LOOK_SECONDS`, and trim the heaps when it is worth it, until cancelled."""
    resident_before = allocator.count_resident_bytes()
    while True:
        await anyio.sleep(LOOK_SECONDS)
        resident = allocator.count_resident_bytes()
        if should_trim(resident, resident_before, allocator.count_free_bytes()):
            await anyio.to_thread.run_sync(allocator.trim_heaps)
            resident_before = allocator.count_resident_bytes()
