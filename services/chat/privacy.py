"""`/api/privacy`: what users decide about themselves."""

from __future__ import annotations

from fastapi import APIRouter

from chat.domain.privacy import AddedBy
from services.chat.models import PrivacyChoice, PrivacyView
from services.common.collaborators import Services, With
from services.common.problems import problem_responses
from services.common.security import Caller

router = APIRouter(prefix="/api/privacy", tags=["people"])


@router.get("", responses=problem_responses(401, 403))
async def get_privacy(caller: Caller, services: With) -> PrivacyView:
    """What the caller has decided, or, as long as they have not, what applies on this instance."""
    return _view_privacy(services, await services.accounts.get_added_by(caller.id))


@router.put("", responses=problem_responses(401, 403, 422))
async def set_privacy(body: PrivacyChoice, caller: Caller, services: With) -> PrivacyView:
    """Decide who may add the caller to rooms. With null, what applies on this instance applies again."""
    await services.accounts.set_added_by(caller.id, body.added_by)
    return _view_privacy(services, body.added_by)


def _view_privacy(services: Services, choice: AddedBy | None) -> PrivacyView:
    return PrivacyView(added_by=choice or AddedBy(services.settings.accounts.added_by), decided=choice is not None)
