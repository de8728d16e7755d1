"""Whom a stored message concerns, and what users decide about it: kinds, levels, mutes, quiet hours.

Rule 1: nobody is notified of their own message, nor of one by a user whom they block.
Rule 2: a direct message concerns the other user; in a room, a mention or a reply is stronger than a plain message.
Rule 3: a room's level says what concerns a member there: everything, what is addressed to them, or nothing. Without a
  level of its own it is the user's default, and without that, `all` in rooms of up to `SMALL_ROOM` members and
  `mentions` in larger ones. A default of `all` counts as `mentions` in a larger room: who wants all of it says so for
  that room, so that a message there costs as much as there are such members, and not as much as there are members.
Rule 4: a mute silences all of a room until its end. What it silences is not made up for.
Rule 5: quiet hours hold back, and silence nothing: what is held back is announced at their end, gathered.
Rule 6: quiet hours are wall-clock times in the user's time zone, whose clocks may change in between.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from chat.errors import Invalid

SMALL_ROOM = 200
"""Members of a room whose level is `all` unless somebody chose another."""

_DAY_MINUTES = 24 * 60
# Files beside those of the zones: they mean something else on each machine, or count leap seconds.
_NO_ZONES = ("localtime", "posixrules", "posix/", "right/", "Factory")


class NotificationKind(StrEnum):
    """Why a message concerns a user, strongest first."""

    DM = "dm"
    MENTION = "mention"
    REPLY = "reply"
    MESSAGE = "message"

    @property
    def is_addressed(self) -> bool:
        """Whether the message is addressed to this user, and not to a whole room."""
        return self is not NotificationKind.MESSAGE


_STRENGTH = {kind: place for place, kind in enumerate(NotificationKind)}


class NotificationLevel(StrEnum):
    """What of a room concerns a member: everything, mentions and replies, or nothing."""

    ALL = "all"
    MENTIONS = "mentions"
    NOTHING = "nothing"


class QuietHours(Struct, frozen=True):
    """From one time of the day to another, which may be that of the next day. Minutes after midnight, local time."""

    start: int
    end: int


class RoomChoice(Struct, frozen=True, kw_only=True):
    """What a user decided for one room. `muted_until` is in milliseconds since the epoch."""

    level: NotificationLevel | None = None
    muted_until: int | None = None

    def is_muted(self, now: int) -> bool:
        """Whether the room is silent now (rule 4)."""
        return self.muted_until is not None and now < self.muted_until


NO_CHOICE = RoomChoice()


class NotificationSettings(Struct, frozen=True, kw_only=True):
    """What a user decided for all conversations. `time_zone` is an IANA name; None is UTC.

    `push` is for everything that shows at once (devices, webhooks), `email` for digests.
    """

    push: bool = True
    email: bool = True
    hide_texts: bool = False
    language: str | None = None
    time_zone: str | None = None
    quiet_hours: QuietHours | None = None
    default_level: NotificationLevel | None = None


UNDECIDED = NotificationSettings()
"""Of a user who never decided anything."""


def strongest(one: NotificationKind, other: NotificationKind) -> NotificationKind:
    """The stronger of two kinds."""
    return min(one, other, key=_STRENGTH.__getitem__)


def decide_level(choice: RoomChoice, settings: NotificationSettings, *, is_large: bool) -> NotificationLevel:
    """What of a room concerns a member who decided so (rule 3)."""
    if choice.level is not None:
        return choice.level
    if settings.default_level is None:
        return NotificationLevel.MENTIONS if is_large else NotificationLevel.ALL
    if is_large and settings.default_level is NotificationLevel.ALL:
        return NotificationLevel.MENTIONS
    return settings.default_level


def is_wanted(kind: NotificationKind, level: NotificationLevel) -> bool:
    """Whether a message of this kind concerns a member of a room with this level."""
    if level is NotificationLevel.MENTIONS:
        return kind.is_addressed
    return level is NotificationLevel.ALL


def find_quiet_end(settings: NotificationSettings, now: int) -> int | None:
    """When the quiet hours that hold now end (milliseconds since the epoch), or None outside of them (rules 5, 6)."""
    quiet = settings.quiet_hours
    if quiet is None or quiet.start == quiet.end:
        return None
    zone = find_zone(settings.time_zone)
    local = datetime.fromtimestamp(now / 1000, zone)
    minute = local.hour * 60 + local.minute
    if (minute - quiet.start) % _DAY_MINUTES >= (quiet.end - quiet.start) % _DAY_MINUTES:
        return None
    day = local.date() + timedelta(days=1 if minute >= quiet.end else 0)
    end = datetime(day.year, day.month, day.day, quiet.end // 60, quiet.end % 60, tzinfo=zone)
    at = int(end.timestamp() * 1000)
    # On the day on which an hour comes twice, the end may stand in the first of them and the clock in the second.
    return at if at > now else int(end.replace(fold=1).timestamp() * 1000)


def find_zone(name: str | None) -> ZoneInfo | timezone:
    """The time zone of this name; UTC without one, and for one that this machine's data no longer has."""
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def require_time_zone(name: str) -> None:
    """Raise `Invalid` unless this is the name of a time zone, such as `Europe/Berlin`."""
    if name.startswith(_NO_ZONES) or not _is_zone(name):
        raise Invalid("there is no such time zone; give an IANA name, such as Europe/Berlin", field="time_zone")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def parse_clock_time(text: str, field: str) -> int:
    """Minutes after midnight of a time such as `22:00`. Raises `Invalid`, with the field."""
    hours, colon, minutes = text.partition(":")
    if (
        colon
        and len(hours) == len(minutes) == 2
        and (hours + minutes).isascii()
        and (hours + minutes).isdigit()
        and int(hours) < 24
        and int(minutes) < 60
    ):
        return int(hours) * 60 + int(minutes)
    raise Invalid("give a time of the day from 00:00 to 23:59", field=field)


def format_clock_time(minutes: int) -> str:
    """A time of the day such as `22:00`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"
