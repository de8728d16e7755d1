"""Marks for tests that run on one backend only, and why."""

from __future__ import annotations

import pytest

virtual_time = pytest.mark.parametrize("anyio_backend", ["trio"], indirect=True)
"""For what takes seconds of the clock: on trio they pass at once."""
