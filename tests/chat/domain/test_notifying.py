"""Whom a message concerns: levels, mutes, quiet hours, and clocks that change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.domain.notifying import (
    NO_CHOICE,
    UNDECIDED,
    NotificationKind,
    NotificationLevel,
    NotificationSettings,
    QuietHours,
    RoomChoice,
    decide_level,
    find_quiet_end,
    format_clock_time,
    is_wanted,
    parse_clock_time,
    require_time_zone,
    strongest,
)
from chat.errors import Invalid

ALL, MENTIONS, NOTHING = NotificationLevel
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(22 * 60, 7 * 60)


def at(day: int, clock: str, *, month: int = 6, fold: int = 0, zone: ZoneInfo = BERLIN) -> int:
    minutes = parse_clock_time(clock, "clock")
    local = datetime(2026, month, day, minutes // 60, minutes % 60, tzinfo=zone, fold=fold)
    return int(local.timestamp() * 1000)


def quiet(hours: QuietHours, zone: str | None = "Europe/Berlin") -> NotificationSettings:
    return NotificationSettings(quiet_hours=hours, time_zone=zone)


@pytest.mark.parametrize(
    ("own", "default", "is_large", "level"),
    [
        (None, None, False, ALL),
        (None, None, True, MENTIONS),
        (None, ALL, False, ALL),
        (None, ALL, True, MENTIONS),
        (None, MENTIONS, False, MENTIONS),
        (None, NOTHING, True, NOTHING),
        (ALL, NOTHING, True, ALL),
        (NOTHING, ALL, False, NOTHING),
    ],
)
def test_a_room_has_its_own_level_or_the_default_or_that_of_its_size(
    own: NotificationLevel | None, default: NotificationLevel | None, is_large: bool, level: NotificationLevel
) -> None:
    settings = NotificationSettings(default_level=default)
    assert decide_level(RoomChoice(level=own), settings, is_large=is_large) is level


def test_a_level_lets_pass_what_it_says() -> None:
    wanted = {level: [kind.value for kind in NotificationKind if is_wanted(kind, level)] for level in NotificationLevel}
    assert wanted == {ALL: ["dm", "mention", "reply", "message"], MENTIONS: ["dm", "mention", "reply"], NOTHING: []}


def test_of_two_kinds_the_stronger_one_counts() -> None:
    kinds = list(NotificationKind)
    for place, kind in enumerate(kinds):
        assert all(strongest(kind, other) is kind is strongest(other, kind) for other in kinds[place:])


def test_a_mute_ends_at_its_time() -> None:
    choice = RoomChoice(muted_until=1000)
    assert choice.is_muted(999)
    assert not choice.is_muted(1000)
    assert not NO_CHOICE.is_muted(0)


def test_quiet_hours_end_on_the_same_day_or_the_next() -> None:
    settings = quiet(NIGHT)
    assert find_quiet_end(settings, at(10, "21:59")) is None
    assert find_quiet_end(settings, at(10, "22:00")) == at(11, "07:00")
    assert find_quiet_end(settings, at(11, "06:59")) == at(11, "07:00")
    assert find_quiet_end(settings, at(11, "07:00")) is None
    noon = quiet(QuietHours(12 * 60, 13 * 60))
    assert find_quiet_end(noon, at(10, "12:30")) == at(10, "13:00")
    assert find_quiet_end(noon, at(10, "11:59")) is None


def test_without_a_time_zone_the_hours_are_those_of_utc() -> None:
    midnight = int(datetime(2026, 6, 10, 23, 30, tzinfo=UTC).timestamp() * 1000)
    assert find_quiet_end(quiet(NIGHT, None), midnight) == midnight + 7 * 3_600_000 + 1_800_000
    assert find_quiet_end(quiet(NIGHT, "Atlantis/Poseidonis"), midnight) == midnight + 7 * 3_600_000 + 1_800_000
    assert find_quiet_end(UNDECIDED, midnight) is None
    assert find_quiet_end(quiet(QuietHours(60, 60)), midnight) is None


def test_a_night_in_which_the_clocks_change_ends_by_the_wall_clock() -> None:
    settings = quiet(NIGHT)
    for month, day, hours in ((3, 29, 8), (10, 25, 10)):  # nine hours, less or more the one of the change
        evening = at(day - 1, "22:00", month=month)
        assert find_quiet_end(settings, evening) == at(day, "07:00", month=month) == evening + hours * 3_600_000


def test_an_end_that_comes_twice_or_never_lies_ahead() -> None:
    settings = quiet(QuietHours(22 * 60, 2 * 60 + 30))
    first, second = at(25, "02:10", month=10), at(25, "02:10", month=10, fold=1)
    assert second - first == 3_600_000
    assert find_quiet_end(settings, first) == at(25, "02:30", month=10)
    assert find_quiet_end(settings, second) == at(25, "02:30", month=10, fold=1)
    skipped = find_quiet_end(settings, at(29, "01:50", month=3))
    assert skipped == at(29, "03:30", month=3)


@given(
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.integers(0, 4_000_000_000_000),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", None]),
)
def test_quiet_hours_end_in_the_future_and_within_two_days(start: int, end: int, now: int, zone: str | None) -> None:
    until = find_quiet_end(quiet(QuietHours(start, end), zone), now)
    assert until is None or now < until <= now + 2 * 86_400_000


def test_times_of_the_day_are_read_and_written() -> None:
    assert [format_clock_time(parse_clock_time(text, "from")) for text in ("00:00", "07:05", "23:59")] == [
        "00:00",
        "07:05",
        "23:59",
    ]
    for bad in ("", "7:00", "24:00", "12:60", "12-00", "١٢:00", "12:00:00", "ab:cd", "-1:00"):
        with pytest.raises(Invalid) as refused:
            parse_clock_time(bad, "from")
        assert refused.value.field == "from"


def test_a_time_zone_is_named() -> None:
    require_time_zone("Europe/Berlin")
    paths = ("../etc/passwd", "/etc/localtime", "Europe/../Europe/Berlin", "Europe", "./UTC", "Europe//Berlin")
    other_files = ("localtime", "posixrules", "right/Europe/Berlin", "posix/Europe/Berlin", "zone.tab", "tzdata.zi")
    for bad in ("", "Mars/Base", "Europe/\0", "x" * 10_000, *paths, *other_files):
        with pytest.raises(Invalid) as refused:
            require_time_zone(bad)
        assert refused.value.field == "time_zone"
