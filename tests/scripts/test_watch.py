"""The loop behind `scripts/test --watch`: it runs its command at once, and again after each change."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts.lib.watch import list_changes, take_snapshot, watch

COUNT = "import pathlib; path = pathlib.Path('output/runs'); path.write_text(path.read_text() + 'x')"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A tree with a module, a hidden folder and an output folder."""
    for name in ("chat/a.py", ".venv/b.py", "output/runs"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("")
    return tmp_path


def test_changes_are_what_was_added_changed_or_removed(checkout: Path) -> None:
    before = take_snapshot(checkout)
    assert before.keys() == {str(checkout / "chat/a.py")}
    (checkout / "chat/c.py").write_text("")
    (checkout / ".venv/b.py").write_text("changed")
    (checkout / "output/runs").write_text("changed")
    assert list_changes(before, take_snapshot(checkout)) == [str(checkout / "chat/c.py")]
    (checkout / "chat/a.py").unlink()
    assert list_changes(before, take_snapshot(checkout)) == [str(checkout / "chat/a.py"), str(checkout / "chat/c.py")]


def test_the_command_runs_at_once_and_after_each_change(checkout: Path) -> None:
    runs: list[int] = []

    def change_twice() -> None:
        runs.append(len((checkout / "output/runs").read_text()))
        if len(runs) == 3:
            raise KeyboardInterrupt
        (checkout / f"chat/new{len(runs)}.py").write_text("")

    with pytest.raises(KeyboardInterrupt):
        watch([sys.executable, "-c", COUNT], checkout, change_twice)
    assert runs == [1, 2, 3]
