"""Rates and sizes: what one user, address or connection may ask for. `chat.settings.groups` has the other groups."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from chat.settings.values import Setting

_KIB = 1024
_MIB = 1024 * 1024


class LimitSettings(Struct, frozen=True, kw_only=True):
    """Rates and sizes."""

    rate_limits: Annotated[bool, Setting("`off` removes the limits of rates and of sessions, for load tests")] = True
    register_per_minute: Annotated[int, Setting("registrations from one address", ge=0)] = 120
    login_failures_per_name: Annotated[
        int, Setting("wrong log-ins in a minute for one name from one address, or from one known device", ge=1)
    ] = 10
    login_failures_until_slow: Annotated[
        int,
        Setting(
            "wrong log-ins in a minute for one name from all addresses; above that, unknown devices wait in turn", ge=1
        ),
    ] = 50
    login_failures_per_address: Annotated[int, Setting("wrong log-ins in a minute from one address", ge=1)] = 100
    mails_per_hour: Annotated[
        int, Setting("mails to verify one e-mail address, and links to a new password for one name, in an hour", ge=1)
    ] = 6
    mails_per_hour_from_address: Annotated[int, Setting("such mails that one IP address asks for in an hour", ge=1)] = (
        60
    )
    reads_per_minute: Annotated[int, Setting("REST calls of one user that only read, in each process", ge=1)] = 1200
    writes_per_minute: Annotated[int, Setting("REST calls of one user that change something", ge=1)] = 120
    rooms_per_minute: Annotated[int, Setting("rooms that one user makes in a minute", ge=1)] = 20
    rooms_per_day: Annotated[int, Setting("rooms that one user makes in a day", ge=1)] = 100
    invites_per_minute: Annotated[int, Setting("invitations that one user makes, ends or uses", ge=1)] = 30
    member_changes_per_minute: Annotated[
        int, Setting("joins and leaves of one user, and members that they add, change, remove or ban", ge=1)
    ] = 60
    profile_changes_per_hour: Annotated[
        int, Setting("changes of one user's display name and status; each goes out to all rooms of the user", ge=1)
    ] = 20
    searches_per_minute: Annotated[int, Setting("searches of one user, in each process", ge=1)] = 60
    reports_per_minute: Annotated[int, Setting("reports and appeals of one user", ge=1)] = 30
    sends_per_second: Annotated[float, Setting("messages of one user, in the long run", gt=0)] = 20.0
    send_burst: Annotated[int, Setting("messages of one user, at once", ge=1)] = 100
    changes_per_second: Annotated[
        float, Setting("deletions, reactions and pins of one user, in the long run", gt=0)
    ] = 10.0
    change_burst: Annotated[int, Setting("deletions, reactions and pins of one user, at once", ge=1)] = 200
    queries_per_second: Annotated[
        float, Setting("`subscribe`, `unsubscribe`, `sync` and `presence` of one user, in the long run", gt=0)
    ] = 50.0
    query_burst: Annotated[
        int,
        Setting(
            "`subscribe`, `unsubscribe`, `sync` and `presence` of one user, at once; the devices of a user "
            "subscribe all rooms when they reconnect",
            ge=1,
        ),
    ] = 2000
    signals_per_second: Annotated[
        float, Setting("`read`, `typing`, `status` and `refresh` of one user, in the long run", gt=0)
    ] = 20.0
    signal_burst: Annotated[int, Setting("`read`, `typing`, `status` and `refresh` of one user, at once", ge=1)] = 500
    text_bytes: Annotated[int, Setting("a message's text", ge=1)] = 16 * _KIB
    frame_bytes: Annotated[int, Setting("a frame, and a message of several", ge=1)] = 64 * _KIB
    subscriptions: Annotated[int, Setting("rooms that a session listens to", ge=1)] = 200
    sessions_per_user: Annotated[int, Setting("open sessions of one user", ge=1)] = 20
    body_bytes: Annotated[int, Setting("a REST body", ge=1)] = _MIB
    outbox_bytes: Annotated[
        int, Setting("what waits for a client that does not read; above that it is closed with 4008", ge=1)
    ] = _MIB
    pending_commands: Annotated[
        int, Setting("commands of a session that are under way; above that it is not read from", ge=1)
    ] = 64
    resume_messages: Annotated[
        int, Setting("messages in one answer to `subscribe`; if more were missed, `recovered` is false", ge=1)
    ] = 2000
    resume_bytes: Annotated[
        int,
        Setting(
            "bytes of one answer to `subscribe` or `sync`; above that or half of the outbox, `recovered` is false",
            ge=1,
        ),
    ] = 512 * _KIB
