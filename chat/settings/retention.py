"""How long messages are kept. See `groups` for how a field becomes a variable."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from chat.settings.values import Setting


class RetentionSettings(Struct, frozen=True, kw_only=True):
    """What becomes of old messages."""

    retention_days: Annotated[
        float | None,
        Setting(
            "after how many days messages are removed, in rooms and in direct conversations: their places stay, and "
            "everybody sees them as deleted; by default never",
            gt=0,
            le=36_500,
        ),
    ] = None

    def expire_before(self, now: int) -> int | None:
        """Messages older than this time go; None when none do. In milliseconds since the epoch."""
        return None if self.retention_days is None else now - int(self.retention_days * 86_400_000)
