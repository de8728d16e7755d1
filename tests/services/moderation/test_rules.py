"""Rules of a running process: read again when their files change, and kept when the new ones are bad."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import anyio
import pytest

from chat.engines.executor import InlineExecutor
from services.moderation.rulefile import RuleError
from services.moderation.rules import Rules
from tests.support.clocks import virtual_time
from tests.support.rulefiles import write_rules

pytestmark = pytest.mark.anyio

RULE = '[[rule]]\nname = "NAME"\nkind = "words"\nverdict = "remove"\nfiles = ["bad.txt"]\n'


def write(folder: Path, name: str, words: str = "badword\n") -> None:
    """Write the rules; the time of the files always moves on."""
    write_rules(folder, RULE.replace("NAME", name), bad=words)
    write.times += 1  # type: ignore[attr-defined]
    for path in folder.iterdir():
        os.utime(path, (write.times, write.times))  # type: ignore[attr-defined]


write.times = 1_000_000_000  # type: ignore[attr-defined]


async def open_rules(folder: Path) -> Rules:
    return await Rules.open(str(folder), executor=InlineExecutor())


async def test_rules_that_cannot_be_used_stop_the_start(tmp_path: Path) -> None:
    write(tmp_path, "one", "x\n")
    with pytest.raises(RuleError, match=r"^bad.txt:1: "):
        await open_rules(tmp_path)


async def test_rules_are_read_again_only_when_they_changed(tmp_path: Path) -> None:
    write(tmp_path, "one")
    rules = await open_rules(tmp_path)
    before = rules.current
    assert not await rules.reload_rules()
    assert rules.current is before
    write(tmp_path, "two")
    assert await rules.reload_rules()
    assert rules.current.names == ["two"]
    assert not await rules.reload_rules()


@pytest.mark.parametrize("damage", ["list", "toml", "gone"])
async def test_bad_rules_keep_the_old_ones_and_tell_why_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    write(tmp_path, "one")
    rules = await open_rules(tmp_path)
    write(tmp_path, "two", "x\n" if damage == "list" else "badword\n")
    if damage == "toml":
        (tmp_path / "rules.toml").write_text("[[rule")
    elif damage == "gone":
        (tmp_path / "bad.txt").unlink()
    with caplog.at_level(logging.ERROR):
        assert not await rules.reload_rules()
        assert not await rules.reload_rules()
    assert rules.current.names == ["one"]
    (record,) = caplog.records
    assert {"list": "bad.txt:1", "toml": "rules.toml:1", "gone": "rules.toml:5"}[damage] in record.message
    write(tmp_path, "three")
    assert await rules.reload_rules()
    assert rules.current.names == ["three"]


async def test_a_folder_that_goes_away_keeps_the_rules(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    write(folder, "one")
    rules = await open_rules(folder)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    await rules.reload_rules()
    assert rules.current.names == ["one"]


async def test_the_built_in_rules_do_not_change() -> None:
    rules = await Rules.open(executor=InlineExecutor())
    assert not await rules.reload_rules()


@virtual_time
async def test_changes_are_noticed_by_themselves(tmp_path: Path) -> None:
    write(tmp_path, "one")
    rules = await open_rules(tmp_path)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(rules.run)
        await anyio.sleep(5)
        write(tmp_path, "two")
        await anyio.sleep(3)
        assert rules.current.names == ["two"]
        tasks.cancel_scope.cancel()
