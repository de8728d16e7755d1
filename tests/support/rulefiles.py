"""Rules for tests, written as moderators write them."""

from __future__ import annotations

from pathlib import Path

from chat.domain.moderation import Content, Strictness
from services.moderation.ruleset import RuleSet, load_rules
from tests.support.builders import ANN, HALL, NOW


def write_rules(folder: Path, toml: str, **lists: str) -> Path:
    """A folder with `rules.toml` and, for each keyword, a list of this name."""
    folder.mkdir(exist_ok=True)
    (folder / "rules.toml").write_text(toml)
    for name, text in lists.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def rule_set(folder: Path, toml: str, **lists: str) -> RuleSet:
    """The rules in such a folder."""
    return load_rules(write_rules(folder, toml, **lists))


def content(text: str = "hello", **fields: object) -> Content:
    """Ann's message in the hall."""
    plain: dict[str, object] = {"conversation": HALL, "sender": ANN, "client_id": "c", "ts": NOW}
    return Content(text=text, **{**plain, "strictness": Strictness.NORMAL, **fields})  # type: ignore[arg-type]
