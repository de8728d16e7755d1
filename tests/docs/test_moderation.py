"""The rules that the moderators' page shows can be used, and do what it says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.moderation import rulefile, words
from services.moderation.patterns import LONGEST as LONGEST_PATTERN
from services.moderation.ruleset import load_rules

PAGE = (Path(__file__).resolve().parents[2] / "docs/moderation.md").read_text()
BLOCKS = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


class Never:
    """A model that suspects nobody."""

    def score_texts(self, texts: Sequence[str]) -> Sequence[float]:
        return [0.0] * len(texts)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_each_block_of_rules_can_be_used(block: str, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(block)
    rules = load_rules(tmp_path, {"profanity": Never})
    assert rules.names or rules.policy.steps


def test_all_kinds_and_fields_are_shown() -> None:
    together = "\n".join(BLOCKS)
    kinds = {kind.__struct_config__.tag for kind in rulefile.AnyRule.__args__}
    assert {kind for kind in kinds if f'kind = "{kind}"' not in together} == set()
    fields = {field for kind in rulefile.AnyRule.__args__ for field in kind.__struct_fields__} - {"files"}
    assert {field for field in fields if f"{field} = " not in together} == set()


def test_the_limits_are_those_of_the_code() -> None:
    assert f"| a file of rules, a list | {rulefile.FILE_BYTES >> 20} MiB |" in PAGE
    assert f"| rules | {rulefile.RULES:,} |" in PAGE
    assert f"| entries of all lists | {rulefile.ENTRIES:,} |" in PAGE
    assert f"| a word, a pattern | {words.LONGEST} and {LONGEST_PATTERN:,} characters |" in PAGE
