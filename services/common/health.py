"""Whether a process is ready or draining, for the probes of an orchestrator."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

import anyio

from chat.errors import StorageFailed
from chat.ports.accounts import Accounts
from chat.ports.history import History
from chat.ports.log import Log
from chat.ports.presence import Presence
from chat.ports.relay import Relay
from chat.ports.rooms import Rooms
from chat.tokens import CannotSign, KeyRing

Probe = Callable[[], Awaitable[object]]
NOBODY = "00000000-0000-0000-0000-000000000000"
PROBE_SECONDS = 2.0

logger = logging.getLogger("rookery.health")


def make_probes(
    accounts: Accounts,
    rooms: Rooms,
    history: History,
    relay: Relay,
    presence: Presence,
    *,
    log: Log | None = None,
    signing: KeyRing | None = None,
) -> dict[str, Probe]:
    """Name of a port → a cheap call of its engine that fails when the engine does.

    Not every process has a log, and not every one signs tokens.
    """
    found: dict[str, Probe] = {"log": log.check_health} if log is not None else {}
    if signing is not None:
        found["signing"] = signing.check_signing
    return found | {
        "accounts": lambda: accounts.get_user(NOBODY),
        "rooms": lambda: rooms.get_room(NOBODY),
        "history": lambda: history.newest_seqs([NOBODY]),
        "relay": lambda: relay.publish([]),
        "presence": lambda: presence.get_states([NOBODY]),
    }


class Health:
    """Ready while every probe answers within two seconds, until `drain` is called."""

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = probes
        self._draining = False

    @property
    def draining(self) -> bool:
        """Whether this process is about to stop, so that balancers send no new work to it."""
        return self._draining

    def drain(self) -> None:
        """From now on the process is not ready."""
        self._draining = True

    async def check_engines(self) -> dict[str, str]:
        """The name of each engine and `ok`, `unreachable`, `full` or `failing`; all are asked at once.

        `signing` is `ok`, or a sentence that says why no token can be signed.
        """
        found = dict.fromkeys(self._probes, "unreachable")
        async with anyio.create_task_group() as tasks:
            for name, probe in self._probes.items():
                tasks.start_soon(self._ask_engine, name, probe, found)
        return found

    async def _ask_engine(self, name: str, probe: Probe, found: dict[str, str]) -> None:
        with anyio.move_on_after(PROBE_SECONDS):
            try:
                await probe()
            except StorageFailed as error:  # it says the rest itself
                found[name] = error.state
            except CannotSign as error:
                logger.warning("not ready: %s", error.message)
                found[name] = error.message
            except Exception as error:  # noqa: BLE001 - whatever an engine raises, it cannot serve
                logger.warning("the engine %s does not answer: %s", name, type(error).__name__)
            else:
                found[name] = "ok"
