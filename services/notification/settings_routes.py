"""`/api/notifications/settings`: what a user is notified of, when, and how."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from msgspec.structs import replace
from pydantic import AfterValidator, BaseModel, Field

from chat.domain.notifying import (
    UNDECIDED,
    NotificationLevel,
    NotificationSettings,
    QuietHours,
    RoomChoice,
    format_clock_time,
    parse_clock_time,
    require_time_zone,
)
from chat.errors import Invalid
from chat.texts.languages import list_languages
from services.common.collaborators import Services, With
from services.common.field_types import RoomId
from services.common.invalid_fields import UnfitValue
from services.common.problems import problem_responses
from services.common.security import Caller

router = APIRouter(prefix="/api/notifications", tags=["notifications"])
MOST_ROOMS = 500


def _check_clock_time(value: str) -> str:
    try:
        parse_clock_time(value, "")
    except Invalid:
        raise UnfitValue("must be a time of the day from 00:00 to 23:59") from None
    return value


def _check_language(value: str) -> str:
    if value not in list_languages():
        raise UnfitValue(f"must be one of {', '.join(list_languages())}")
    return value


def _check_time_zone(value: str) -> str:
    try:
        require_time_zone(value)
    except Invalid:
        raise UnfitValue("is no time zone; give an IANA name, such as Europe/Berlin") from None
    return value


ClockTime = Annotated[str, Field(max_length=5, examples=["22:00"]), AfterValidator(_check_clock_time)]
Language = Annotated[str, Field(max_length=35, examples=["en"]), AfterValidator(_check_language)]
TimeZone = Annotated[str, Field(max_length=100, examples=["Europe/Berlin"]), AfterValidator(_check_time_zone)]


class QuietHoursModel(BaseModel):
    """From one time of the day to another, in the user's time zone; past midnight if `to` is the earlier one."""

    start: ClockTime = Field(alias="from")
    end: ClockTime = Field(alias="to")


class RoomNotifications(BaseModel):
    """What of a room concerns the caller, null for what their default says; and until when it is silent (milliseconds
    since the epoch), null for not at all."""

    level: NotificationLevel | None = None
    muted_until: Annotated[int | None, Field(ge=0, le=2**53)] = None


class NotificationSettingsView(BaseModel):
    """What the caller decided. `rooms` has the rooms of the caller with a choice of their own."""

    push: bool
    email: bool
    hide_texts: bool
    language: str | None
    time_zone: str | None
    quiet_hours: QuietHoursModel | None
    default_level: NotificationLevel | None
    rooms: dict[str, RoomNotifications]


class NotificationSettingsChange(BaseModel):
    """What is to change; what is left out stays, also a room that is left out of `rooms`.

    Null takes a choice back; a room's choice is replaced as one.
    """

    push: bool = True
    email: bool = True
    hide_texts: bool = False
    language: Language | None = None
    time_zone: TimeZone | None = None
    quiet_hours: QuietHoursModel | None = None
    default_level: NotificationLevel | None = None
    rooms: Annotated[dict[RoomId, RoomNotifications], Field(max_length=MOST_ROOMS)] = {}


@router.get("/settings", responses=problem_responses(401, 403))
async def get_notification_settings(caller: Caller, services: With) -> NotificationSettingsView:
    """What the caller decided about notifications, and what holds for a user who decided nothing."""
    return await _view_settings(services, caller.id)


@router.put("/settings", responses=problem_responses(401, 403, 422))
async def change_notification_settings(
    body: NotificationSettingsChange, caller: Caller, services: With
) -> NotificationSettingsView:
    """Decide about notifications. Replaces what is given, and leaves the rest as it is."""
    choices = {
        room: RoomChoice(level=choice.level, muted_until=choice.muted_until) for room, choice in body.rooms.items()
    }
    if choices:
        await _require_rooms(services, caller.id, choices)
    changes = _read_changes(body)
    await services.notifications.change_settings(caller.id, lambda known: replace(known, **changes), choices)
    return await _view_settings(services, caller.id)


def _read_changes(body: NotificationSettingsChange) -> dict[str, Any]:
    """The fields of the settings that the body gives."""
    changes = {name: getattr(body, name) for name in body.model_fields_set if name != "rooms"}
    if body.quiet_hours is not None:
        quiet = body.quiet_hours
        changes["quiet_hours"] = QuietHours(parse_clock_time(quiet.start, "from"), parse_clock_time(quiet.end, "to"))
    return changes


async def _require_rooms(services: Services, user: str, rooms: dict[str, RoomChoice]) -> None:
    """Raise `Invalid` for a room that the user is not in, which may also be one that does not exist."""
    mine = {room.id for room, _ in await services.rooms.rooms_of_user(user)}
    for room in rooms:
        if room not in mine:
            raise Invalid("you are in no such room; leave it out", field=f"rooms.{room}")


async def _view_settings(services: Services, user: str) -> NotificationSettingsView:
    settings = (await services.notifications.get_settings([user])).get(user, UNDECIDED)
    choices = await services.notifications.list_room_choices(user)
    mine = {room.id for room, _ in await services.rooms.rooms_of_user(user)} if choices else set()
    return NotificationSettingsView(
        push=settings.push,
        email=settings.email,
        hide_texts=settings.hide_texts,
        language=settings.language,
        time_zone=settings.time_zone,
        quiet_hours=_view_quiet_hours(settings),
        default_level=settings.default_level,
        rooms={
            room: RoomNotifications(level=choice.level, muted_until=choice.muted_until)
            for room, choice in sorted(choices.items())
            if room in mine
        },
    )


def _view_quiet_hours(settings: NotificationSettings) -> QuietHoursModel | None:
    if settings.quiet_hours is None:
        return None
    start, end = map(format_clock_time, (settings.quiet_hours.start, settings.quiet_hours.end))
    return QuietHoursModel.model_validate({"from": start, "to": end})
