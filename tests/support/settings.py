"""Settings by the names of their variables, as tests give them to processes: small, and without `ROOKERY_`."""

from __future__ import annotations

from typing import Any

import msgspec

from chat.settings import Settings, list_variables

_FIELDS = {variable.name.removeprefix("ROOKERY_").lower(): variable for variable in list_variables()}


def make_settings(base: Settings = Settings(), /, **values: Any) -> Settings:  # noqa: B008 - it is frozen
    """`base` with these values, as in `make_settings(heartbeat_seconds=1.0, kafka_prefix="test.")`."""
    for name, value in values.items():
        variable = _FIELDS[name]
        changed = {variable.field: value}
        if variable.group:
            changed = {variable.group: msgspec.structs.replace(getattr(base, variable.group), **changed)}
        base = msgspec.structs.replace(base, **changed)
    return base
