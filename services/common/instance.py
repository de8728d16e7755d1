"""What the owners of the instance decided. It is read where it counts, so a change holds for every role at once."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from chat.domain.instance import InstanceSettings
from chat.domain.logo import logo_address
from chat.domain.registration import RegistrationMode
from chat.errors import Unavailable
from chat.ports.documents import INSTANCE
from chat.ports.relay import Publication
from chat.wire.events import InstanceEvent, encode
from chat.wire.relay import INSTANCE as INSTANCE_CHANNEL
from chat.wire.relay import InstanceChanged, pack_control
from services.common.collaborators import Services

_settings: msgspec.json.Decoder[InstanceSettings] = msgspec.json.Decoder(InstanceSettings)


async def read_instance(services: Services) -> tuple[int, InstanceSettings]:
    """The revision of the settings, and what was decided."""
    found = await services.documents.get_document(INSTANCE)
    return found.revision, _settings.decode(found.content) if found.content else InstanceSettings()


def choose_registration(services: Services, decided: InstanceSettings) -> RegistrationMode:
    """Who may make an account: what the owners decided, else what the operator set."""
    return decided.registration or RegistrationMode(services.settings.accounts.registration)


async def announce_instance(services: Services) -> None:
    """Tell all sessions what is decided now. Without the relay they learn of it when they sign in the next time.

    Who reads before another owner's change may publish after it. So this reads again after publishing, and the last
    event has the newest state.
    """
    with suppress(Unavailable):
        told: InstanceEvent | None = None
        while told != (event := await _read_event(services)):
            change = InstanceChanged(event=encode(event).decode())
            await services.relay.publish([Publication(INSTANCE_CHANNEL, pack_control(change))])
            told = event


async def _read_event(services: Services) -> InstanceEvent:
    _, decided = await read_instance(services)
    return InstanceEvent(
        name=decided.shown_name,
        logo=logo_address(await services.logos.get_digest()),
        registration=choose_registration(services, decided),
        room_makers=decided.room_makers,
    )
