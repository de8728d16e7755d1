"""The edge's sends in C for tests: those of the installation, or built for the tests where there is a compiler."""

from __future__ import annotations

import importlib.util
import tempfile
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest

from gateway.sends import BatchSends, find_native
from hatch_build import compile_module

ROOT = Path(__file__).resolve().parents[2]
Way = Literal["io_uring", "loop", "python"]
WAYS: tuple[Way, ...] = ("io_uring", "loop", "python")


@cache
def load_native() -> ModuleType | str:
    """The module in C, or why there is none."""
    found = find_native()
    if found is not None:
        return found
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "_sends.abi3.so")
        problem = compile_module(ROOT, target)
        return problem or load_module(target)


def load_module(path: Path) -> ModuleType:
    """The module in this file."""
    spec = importlib.util.spec_from_file_location("gateway._sends", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def need_native() -> ModuleType:
    """The module in C; skips the test where it cannot be built."""
    native = load_native()
    if isinstance(native, str):
        pytest.skip(f"the sends in C cannot be built: {native}")
    return native


def open_way(way: Way, *, least: int = 1) -> BatchSends | None:
    """This way of sending, for batches of `least` sockets or more; skips the test where it is not to be had."""
    if way == "python":
        return None
    try:
        return BatchSends(need_native(), ring=way == "io_uring", least=least)
    except OSError as error:
        pytest.skip(f"io_uring is not to be had: {error}")
