"""The room that tests of the REST of moderation act in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.moderated_room import ModeratedRoom, open_moderated_room


@pytest.fixture
async def world() -> AsyncIterator[ModeratedRoom]:
    """See `ModeratedRoom`."""
    async with open_moderated_room() as made:
        yield made
