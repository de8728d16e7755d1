"""The announcements of changed cases and of blocks, to those who may look at the queue of the moderators.

Rule 1: a change is stored first and announced then; the announcement may be lost, as when the relay fails, and is not
    repeated. So who shows the queue also reads it again from time to time, and after an interruption.
Rule 2: who gets it is asked at each announcement, so whoever lost their role gets no more of them.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from chat.domain.cases import Case, CaseState
from chat.domain.text import fold_name
from chat.errors import Unavailable
from chat.ports.accounts import Accounts
from chat.ports.relay import Publication, Relay
from chat.wire.events import BlockEvent, CaseChangeKind, CaseEvent, encode
from chat.wire.relay import pack_event, user_channel

MOST_TOLD = 1000
"""Of the users with a role in the instance; an instance has a few."""

logger = logging.getLogger("rookery.cases")


class CaseAnnouncer:
    """Publishes the events `case` and `block` to all sessions of each moderator of the instance, on every edge.

    `moderators` are the names that the operator lists; those with a role in the instance are read from `accounts`.
    """

    def __init__(self, accounts: Accounts, relay: Relay, moderators: Collection[str]) -> None:
        self._accounts = accounts
        self._relay = relay
        self._names = {fold_name(name) for name in moderators}

    async def announce_case(self, case: Case, change: CaseChangeKind) -> None:
        """Say what became of a case that is stored. Raises nothing when engines fail (rule 1)."""
        await self._announce(CaseEvent(case=case.id, change=change, state=case.state.value))

    async def announce_block(self, user: str, *, blocked: bool) -> None:
        """Say that a user is kept out from now on, or no longer. Raises nothing when engines fail (rule 1)."""
        await self._announce(BlockEvent(user=user, blocked=blocked))

    async def _announce(self, event: CaseEvent | BlockEvent) -> None:
        payload = pack_event(encode(event))
        try:
            users = await self._find_moderators()
            if not users:
                return
            await self._relay.publish([Publication(user_channel(user), payload) for user in users])
        except Unavailable as error:
            logger.info("a changed %s was not announced: %s", event.__struct_config__.tag, error.message)

    async def _find_moderators(self) -> list[str]:
        """Their ids (rule 2)."""
        found = {user.id for user in await self._accounts.list_role_holders(MOST_TOLD)}
        if self._names:
            found |= set((await self._accounts.ids_by_names(self._names)).values())
        return sorted(found)


def name_change(proposed: Case, case: Case) -> CaseChangeKind:
    """What happened when `proposed` was put to the store, which answered with `case`: the store takes its id only for a
    subject that had no case."""
    return "opened" if case.id == proposed.id else "changed"


def name_verdict(proposed: Case, case: Case) -> CaseChangeKind:
    """The same of a rule's verdict, which may have decided the case as well."""
    return "decided" if case.state is CaseState.DECIDED else name_change(proposed, case)
