"""The unit tests of the page, by Vitest: those of the core, and those of components in a document of jsdom."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: What `scripts/web` exits with when there is no Node, or not its packages.
MISSING = 77
#: A component that a module gives to others: a page, a panel, a tab, a dialog, or a part of one.
_VIEW = re.compile(
    r"^export (?:default )?(?:function (?=[A-Z])|const \w+ = memo\((?:function )?)(\w*[a-z]\w*)",
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """All unit tests pass; the components that they rendered."""
    file = tmp_path_factory.mktemp("units") / "rendered"
    environ = {**os.environ, "ROOKERY_RENDERED": str(file)}
    ran = subprocess.run(
        [ROOT / "scripts/web", "--units"], capture_output=True, text=True, check=False, timeout=600, env=environ
    )
    if ran.returncode == MISSING:
        reason = f"the page's modules are tested with Node: {ran.stderr.strip()}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return set(file.read_text().split())


def test_the_modules(rendered: set[str]) -> None:
    assert rendered


def test_each_view_is_rendered_by_a_test_of_components(rendered: set[str]) -> None:
    """By its name, which React tells; where two modules have a view of one name, each counts for both."""
    views = {
        name: str(path.relative_to(ROOT / "web/app"))
        for path in sorted((ROOT / "web/app").rglob("*.tsx"))
        for name in _VIEW.findall(path.read_text())
    }
    assert len(views) > 100
    assert {name: file for name, file in views.items() if name not in rendered} == {}
