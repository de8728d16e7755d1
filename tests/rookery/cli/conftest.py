"""What tests of the tools of administrators share."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat.domain.ids import new_id
from chat.settings import Settings
from tests.support.servers import marked, server_url
from tests.support.settings import make_settings


@pytest.fixture(params=marked(["sqlite", "mongo"]))
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """On the embedded store alone, or on MongoDB with Redis as the relay."""
    if request.param == "sqlite":
        return make_settings(data=tmp_path)
    name = f"test_{new_id()}"
    return make_settings(
        mongo_url=server_url("mongo"),
        mongo_database=name,
        mongo_timeout_seconds=20.0,
        redis_url=server_url("redis"),
        redis_prefix=f"{name}:",
        data=tmp_path,
    )
