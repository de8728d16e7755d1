"""The rules of a process: loaded at the start, and again whenever their files change.

What was read last and could be used holds. A change that cannot be used is logged, with file and line, and waits until
someone mends it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import anyio

from chat.engines.executor import Executor, ThreadExecutor
from services.moderation.classifier import MODELS
from services.moderation.ruleset import Models, RuleSet, load_rules

LOOK_SECONDS = 2.0
_logger = logging.getLogger(__name__)
_State = tuple[tuple[str, int, int], ...]


def built_in() -> Traversable:
    """The folder of the rules that come with the package."""
    return files("services.moderation") / "defaults"


class Rules:
    """`current` is what holds. Made by `open`."""

    def __init__(self, folder: Path | None, models: Models, executor: Executor) -> None:
        self._folder = folder
        self._models = models
        self._executor = executor
        self._limiter = anyio.CapacityLimiter(1)
        self._state: _State = ()
        self.current: RuleSet

    @classmethod
    async def open(cls, folder: str = "", *, models: Models = MODELS, executor: Executor | None = None) -> Rules:
        """The rules of a folder; empty: those built in. Raises `RuleError` for what cannot be used."""
        rules = cls(Path(folder) if folder else None, models, executor or ThreadExecutor())
        rules.current, rules._state = await rules._load_rules()
        return rules

    async def run(self) -> None:
        """Look for changes every two seconds, until cancelled."""
        while True:
            await anyio.sleep(LOOK_SECONDS)
            await self.reload_rules()

    async def reload_rules(self) -> bool:
        """Read the files again if they have changed; whether there are new rules now."""
        if self._folder is None or await self._executor.run_blocking(self._read_state, self._limiter) == self._state:
            return False
        try:
            self.current, self._state = await self._load_rules()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with new files, the old rules hold
            self._state = await self._executor.run_blocking(self._read_state, self._limiter)
            _logger.error("the rules of before stay, because of the new ones: %s", error)  # noqa: TRY400 - no defect
            return False
        _logger.info("%d rules were loaded again", len(self.current.names))
        return True

    async def _load_rules(self) -> tuple[RuleSet, _State]:
        # Looked at before it is read: what changes meanwhile is read next time.
        return await self._executor.run_blocking(self._read_rules, self._limiter)

    def _read_rules(self) -> tuple[RuleSet, _State]:
        state = self._read_state()
        return load_rules(self._folder or built_in(), self._models), state

    def _read_state(self) -> _State:
        return tuple(sorted(_list_files(self._folder))) if self._folder is not None else ()


def _list_files(folder: Path) -> Iterator[tuple[str, int, int]]:
    try:
        for path in folder.rglob("*"):
            status = path.stat()
            yield str(path), status.st_mtime_ns, status.st_size
    except OSError:
        return  # a file that went away while we looked: what is there is read, or refused, next
