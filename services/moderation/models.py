"""The JSON of the moderation routes, as the OpenAPI document describes it. Times are RFC 3339 in UTC."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, model_validator

from chat.domain.cases import CaseAction, CaseKind, CaseState
from chat.domain.moderation import Strictness, Verdict
from services.chat.models import UserView
from services.common.field_types import Reason, RoomId, Seq, UserId, check_plain_text, check_visible_text

LONGEST_BLOCK = 10 * 365 * 24 * 3600
AppealText = Annotated[
    str, Field(min_length=1, max_length=500), AfterValidator(check_plain_text), AfterValidator(check_visible_text)
]


class Place(BaseModel):
    """A message: in a room, or in the conversation with another user."""

    room: RoomId | None = None
    with_: Annotated[UserId | None, Field(alias="with")] = None
    seq: Seq

    @model_validator(mode="after")
    def _require_one(self) -> Place:
        if (self.room is None) == (self.with_ is None):
            raise ValueError("give `room` or `with`, and not both")
        return self


class NewReport(Place):
    """A report of a message to the moderators of the instance."""

    reason: Reason = ""


class NewAppeal(Place):
    """Why a withdrawn message of the caller should come back."""

    text: AppealText


class BlockAppeal(BaseModel):
    """Why a block should end. Whoever is blocked cannot log in, and proves who they are by name and password."""

    name: Annotated[str, Field(max_length=256)]
    password: Annotated[str, Field(max_length=1024)]
    text: AppealText


class CaseId(BaseModel):
    """The case that was made or found."""

    id: str


class NewBlock(BaseModel):
    """A block: for so many seconds, or for ever without `seconds`. The user reads the reason."""

    reason: Reason = ""
    seconds: Annotated[int | None, Field(ge=1, le=LONGEST_BLOCK)] = None


class BlockView(BaseModel):
    """A block that holds; `until` is null for ever. `by` is a moderator's id, or `moderation`."""

    user: UserView
    by: str
    reason: str
    since: str
    until: str | None


class BlockPage(BaseModel):
    """Blocks by user id; with `more`, go on with `after` set to the last user's id."""

    blocks: list[BlockView]
    more: bool


class ReportView(BaseModel):
    """A report of a message; `user` is the id of who reported."""

    user: str
    reason: str
    at: str


class CaseView(BaseModel):
    """A case. `room` or `users` says where the message is; `text` is what it said last, null when it is gone."""

    id: str
    kind: CaseKind
    state: CaseState
    user: UserView
    room: str | None
    users: list[str] | None
    seq: int | None
    text: str | None
    rule: str
    reason: str
    opened: str
    reports: list[ReportView]
    appeal: str | None
    verdict: Verdict | None
    decided_by: str
    decided: str | None


class CasePage(BaseModel):
    """Cases, the oldest first; with `more`, go on with `after` set to the last one's id."""

    cases: list[CaseView]
    more: bool


class Decision(BaseModel):
    """What becomes of a case: `allow` undoes what was done, `remove` withdraws the text, `block` blocks its sender too,
    for so many `seconds` or for ever."""

    verdict: Verdict
    reason: Reason = ""
    seconds: Annotated[int | None, Field(ge=1, le=LONGEST_BLOCK)] = None


class NewOwner(BaseModel):
    """The id of the user who is to own the room."""

    user: UserId


class NoteView(BaseModel):
    """What an operator did, to be told in any language."""

    code: str
    values: dict[str, str]


class AuditView(BaseModel):
    """What was done: by whom (`moderation` is the service itself, `operator:NAME` somebody with `rookery admin`), to
    whom, and why."""

    id: str
    at: str
    by: str
    action: CaseAction
    user: str
    case: str
    rule: str
    reason: str
    verdict: Verdict | None
    until: str | None
    note: NoteView | None = Field(description="what was done with `rookery admin`; `reason` says it in English")


class AuditPage(BaseModel):
    """Entries, the newest first; with `more`, go on with `before` set to the last one's id."""

    entries: list[AuditView]
    more: bool


class StrictnessChoice(BaseModel):
    """How strictly a room is moderated."""

    strictness: Strictness
    held: bool | None = None
