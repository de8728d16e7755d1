"""Traces: where they go, and how many. `chat.settings.groups` has the other groups."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Struct

from chat.settings.values import Setting


class TracingSettings(Struct, frozen=True, kw_only=True):
    """Traces by OpenTelemetry; off without an endpoint."""

    prefix_of_variables: ClassVar[str] = "TRACING_"

    endpoint: Annotated[
        str,
        Setting(
            "where traces go by OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; without it, traces are off. "
            "Needs the extra `tracing`",
            pattern=r"https?://[^/\s]+\S*",
            hint="an address such as http://127.0.0.1:4318/v1/traces",
            secret=True,
        ),
    ] = ""
    ratio: Annotated[
        float, Setting("the share of traces that are sampled, of those that begin here: 0 to 1", ge=0, le=1)
    ] = 0.01
