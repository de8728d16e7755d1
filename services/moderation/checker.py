"""Checks batches of contents, without keeping others of the process waiting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio
from anyio.lowlevel import checkpoint

from chat.domain.moderation import Content, Finding
from chat.engines.executor import Executor, ThreadExecutor
from chat.errors import Invalid
from chat.ports.moderation import MAX_BATCH
from services.moderation.floods import Floods
from services.moderation.rules import Rules
from services.moderation.ruleset import RuleSet

TURN_CHARACTERS = 4096
"""How much text is looked at before others have a turn: some milliseconds at worst."""


class Checker:
    """The rules, with the counts of floods, which outlive a change of rules."""

    def __init__(self, rules: Rules, *, executor: Executor | None = None) -> None:
        self._rules = rules
        self._floods = Floods()
        self._executor = executor or ThreadExecutor()
        self._limiter = anyio.CapacityLimiter(1)
        self._seen: RuleSet | None = None

    async def check_contents(self, contents: Sequence[Content]) -> list[Finding]:
        """One finding for each, in their order. Raises `Invalid` for more than `MAX_BATCH`."""
        if len(contents) > MAX_BATCH:
            raise Invalid(f"check at most {MAX_BATCH} contents at once", field="contents")
        rules = self._rules.current
        if rules is not self._seen:
            self._floods.retain_limits(rules.limits)
            self._seen = rules
        scores = await self._score_texts(rules, contents)
        findings: list[Finding] = []
        looked = 0
        # The indexes run in C without a break: a batch of long texts would hold the loop for all of its length.
        for index, content in enumerate(contents):
            findings.append(
                rules.check_content(content, self._floods, {name: of[index] for name, of in scores.items()})
            )
            looked += len(content.text)
            if looked >= TURN_CHARACTERS:
                looked = 0
                await checkpoint()
        await checkpoint()
        return findings

    async def _score_texts(self, rules: RuleSet, contents: Sequence[Content]) -> Mapping[str, Sequence[float]]:
        texts = [content.text for content in contents]
        return {
            name: await self._executor.run_blocking(lambda model=model: model.score_texts(texts), self._limiter)  # type: ignore[misc]
            for name, model in rules.classifiers.items()
        }
