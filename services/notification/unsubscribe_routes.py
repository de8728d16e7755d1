"""`/api/notifications/unsubscribe`: where the link in a mail leads.

Rule 1: only POST unsubscribes. Scanners of mail follow links, so GET shows a page with a button. A mail program posts
  by itself when its user clicks once (RFC 8058); it sends a form, and no log-in.
Rule 2: the link is signed, and changes nothing but whether its user gets digests.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from msgspec.structs import replace

from chat.domain.mailing import read_link
from chat.texts.unsubscribing import UnsubscribeTexts, write_unsubscribe
from services.common.collaborators import Services, With
from services.common.problems import problem_responses

router = APIRouter(prefix="/api/notifications", tags=["notifications"])
LinkToken = Annotated[str, Query(max_length=256, description="the token of the link in a mail")]
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 32rem; margin: 15vh auto; padding: 0 1rem; }
button { font: inherit; padding: .6rem 1.2rem; }
"""
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_ANSWERS = {**problem_responses(400, 410, 422), 200: {"content": {"text/html": {}}}}


@router.get("/unsubscribe", response_class=HTMLResponse, responses=_ANSWERS)
async def show_unsubscribe_page(token: LinkToken, services: With) -> HTMLResponse:
    """A page with a button that unsubscribes. A link that was changed is 400 `link_changed`, one that is too old 410
    `link_expired`."""
    texts = write_unsubscribe(await _read_language(services, await _read_user(services, token)))
    # Without an action, a form is posted to the address of its page, token and all.
    form = f'<form method="post"><button type="submit">{escape(texts.button)}</button></form>'
    return _make_page(texts, f"<p>{escape(texts.question)}</p>{form}")


@router.post("/unsubscribe", response_class=HTMLResponse, responses=_ANSWERS)
async def unsubscribe_from_mails(token: LinkToken, services: With) -> HTMLResponse:
    """Send this user no more digests. It may be repeated; mails about the account go on. The body is not read."""
    user = await _read_user(services, token)
    texts = write_unsubscribe(await _read_language(services, user))
    if await services.accounts.get_user(user) is not None:
        await services.notifications.change_settings(user, lambda known: replace(known, email=False), {})
    return _make_page(texts, f'<p role="status">{escape(texts.done)}</p>')


async def _read_user(services: Services, token: str) -> str:
    return read_link(await services.mailings.get_secret(), token, services.clock())  # rule 2


async def _read_language(services: Services, user: str) -> str | None:
    settings = (await services.notifications.get_settings([user])).get(user)
    return settings.language if settings else None


def _make_page(texts: UnsubscribeTexts, content: str) -> HTMLResponse:
    title = escape(texts.title)
    page = (
        f'<!doctype html><html lang="{texts.language}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<title>{title}</title><style>{_STYLE}</style><main><h1>{title}</h1>{content}</main></html>"
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})
