"""`/api/config`: what the web page, or any client, needs before it can begin."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from chat.domain.emoji import EMOJI_BYTES
from chat.domain.instance import RoomMakers
from chat.domain.logo import logo_address
from chat.domain.registration import RegistrationMode
from chat.domain.text import ROOM_NAME_LENGTH
from services.common.addresses import websocket_url
from services.common.collaborators import With
from services.common.instance import choose_registration, read_instance
from services.common.version import product_version

router = APIRouter(tags=["operations"])


class ClientLimits(BaseModel):
    """Sizes in bytes of UTF-8, but `room_name` in characters; rates a second."""

    text_bytes: int
    frame_bytes: int
    body_bytes: int
    emoji_bytes: int
    room_name: int
    subscriptions: int
    sends_per_second: float
    send_burst: int


class Config(BaseModel):
    """Where the edge is, and what this instance can do. `push_key` is the VAPID key, null without push.

    `name` is what its owners call the instance, `logo` the address of their picture for it, or null.
    """

    name: str
    logo: str | None
    version: str
    ws_url: str
    push_key: str | None
    voice: bool
    registration: RegistrationMode
    room_makers: RoomMakers
    limits: ClientLimits


@router.get("/api/config")
async def get_config(request: Request, services: With) -> Config:
    """For everyone, without a token."""
    allowed = services.settings.limits
    _, decided = await read_instance(services)
    return Config(
        name=decided.shown_name,
        logo=logo_address(await services.logos.get_digest()),
        version=product_version(),
        ws_url=websocket_url(request.scope, services.settings),
        push_key=services.push_keys[0] if services.push_keys else None,
        voice=False,
        registration=choose_registration(services, decided),
        room_makers=decided.room_makers,
        limits=ClientLimits(
            text_bytes=allowed.text_bytes,
            frame_bytes=allowed.frame_bytes,
            body_bytes=allowed.body_bytes,
            emoji_bytes=EMOJI_BYTES,
            room_name=ROOM_NAME_LENGTH,
            subscriptions=allowed.subscriptions,
            sends_per_second=allowed.sends_per_second,
            send_burst=allowed.send_burst,
        ),
    )
