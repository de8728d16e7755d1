"""`expires_in` is how long the access token lives, whatever was set."""

from __future__ import annotations

import base64
import json

import pytest

from chat.errors import Unauthorized
from chat.settings import LONGEST_TOKEN_SECONDS, LimitSettings, Settings, SettingsError, TokenSettings, read_settings
from tests.support.rest import open_rest

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "seconds", [1, 900, LONGEST_TOKEN_SECONDS, LONGEST_TOKEN_SECONDS + 1, 10 * LONGEST_TOKEN_SECONDS]
)
async def test_expires_in_is_the_life_of_the_token(seconds: int) -> None:
    settings = Settings(tokens=TokenSettings(access_seconds=seconds), limits=LimitSettings(rate_limits=False))
    async with open_rest(settings=settings) as rest:
        user = await rest.user("ann")
        name = {"name": "ann", "password": "a long password"}
        answers = [await rest("POST", "/api/auth/login", name)]
        answers.append(await rest("POST", "/api/auth/refresh", {"refresh_token": user.refresh}))
        for answer in answers:
            tokens = answer.json()
            claims = tokens["access_token"].split(".")[1]
            payload = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
            assert tokens["expires_in"] == payload["exp"] - payload["iat"] == min(seconds, LONGEST_TOKEN_SECONDS)
            rest.services.keys.verify_token(tokens["access_token"])
        token = answers[0].json()["access_token"]
        rest.clock.now += (tokens["expires_in"] - 1) * 1000
        rest.services.keys.verify_token(token)
        rest.clock.now += 120_000  # more than clocks may differ
        with pytest.raises(Unauthorized):
            rest.services.keys.verify_token(token)


def test_a_longer_life_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="ROOKERY_TOKEN_SECONDS"):
        read_settings({"ROOKERY_TOKEN_SECONDS": str(LONGEST_TOKEN_SECONDS + 1)})
