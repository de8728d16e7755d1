"""`/api/instance/logo`: the picture that stands for the instance."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel
from starlette.responses import Response

from chat.domain.cases import AuditEntry, CaseAction
from chat.domain.ids import new_id
from chat.domain.instance import require_owner
from chat.domain.logo import LOGO_BYTES, check_logo, digest_logo, logo_address
from chat.domain.models import User
from chat.domain.pictures import PictureType
from chat.errors import NotFound
from chat.ports.logos import Logo
from services.common.collaborators import Services, With
from services.common.instance import announce_instance
from services.common.problems import problem_responses
from services.common.shielding import shield_change
from services.moderation.access import Moderator

router = APIRouter(prefix="/api/instance/logo", tags=["instance"])
_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_PICTURES = {"content": {str(kind): _PICTURE for kind in PictureType}}
_BODY = {
    "requestBody": {
        "required": True,
        "description": f"a PNG, JPEG or WebP picture of at most {LOGO_BYTES} bytes, as it is",
        **_PICTURES,
    }
}
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    # Whatever a browser takes the bytes for, it runs nothing of them, and shows them on no page of others.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SHOWN: dict[int | str, dict[str, Any]] = {
    200: {"description": "the picture", **_PICTURES},
    304: {"description": "it is the one that was kept"},
}
Digest = Annotated[str, Path(description="of the picture, as `logo` of `GET /api/config` has it", max_length=64)]


class LogoView(BaseModel):
    """Where the logo is."""

    logo: str | None


@router.put("", responses=problem_responses(401, 403, 422), openapi_extra=_BODY)
async def put_logo(request: Request, caller: Moderator, services: With) -> LogoView:
    """Give the instance this logo. For owners; it holds at once. Each side has 64 to 1,024 pixels."""
    require_owner(caller)
    content = await request.body()  # whose bound `services.common.bodies` keeps
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    head = check_logo(content, media_type)
    logo = Logo(digest_logo(content), str(head.media_type), content)
    with shield_change():
        await services.logos.put_logo(logo)
        await _note(services, caller, f"the instance: another logo, {head.width} by {head.height} pixels")
        await announce_instance(services)
    return LogoView(logo=logo_address(logo.digest))


@router.delete("", status_code=204, responses=problem_responses(401, 403))
async def delete_logo(caller: Moderator, services: With) -> None:
    """Take the logo away, if there is one. For owners."""
    require_owner(caller)
    with shield_change():
        if await services.logos.delete_logo():
            await _note(services, caller, "the instance: no logo any more")
            await announce_instance(services)


@router.get("/{digest}", response_class=Response, responses={**_SHOWN, **problem_responses(404, 422)})
async def get_logo(digest: Digest, request: Request, services: With) -> Response:
    """The picture. For everyone, without a token; an address never changes what it leads to."""
    tag = f'"{digest}"'
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag in known and digest == await services.logos.get_digest():
        return Response(status_code=304, headers={**_HEADERS, "ETag": tag})  # RFC 9110, section 13.1.2
    logo = await services.logos.get_logo(digest)
    if logo is None:
        raise NotFound("this is not the logo any more; `logo` of /api/config has the address of the present one")
    return Response(logo.content, headers={**_HEADERS, "ETag": tag}, media_type=logo.media_type)


async def _note(services: Services, by: User, reason: str) -> None:
    entry = AuditEntry(id=new_id(), at=services.clock(), by=by.id, action=CaseAction.SETTING, user="", reason=reason)
    await services.cases.add_audit_entry(entry)
