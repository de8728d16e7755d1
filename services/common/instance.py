"""What the owners of the instance decided. It is read where it counts, so a change holds for every role at once."""

from __future__ import annotations

import msgspec

from chat.domain.instance import InstanceSettings
from chat.domain.registration import RegistrationMode
from chat.ports.documents import INSTANCE
from services.common.collaborators import Services

_settings: msgspec.json.Decoder[InstanceSettings] = msgspec.json.Decoder(InstanceSettings)


async def read_instance(services: Services) -> tuple[int, InstanceSettings]:
    """The revision of the settings, and what was decided."""
    found = await services.documents.get_document(INSTANCE)
    return found.revision, _settings.decode(found.content) if found.content else InstanceSettings()


def choose_registration(services: Services, decided: InstanceSettings) -> RegistrationMode:
    """Who may make an account: what the owners decided, else what the operator set."""
    return decided.registration or RegistrationMode(services.settings.accounts.registration)
