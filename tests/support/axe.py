"""axe-core in a window: what its rules find on a screen. It comes with the packages that build the page."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Window

ROOT = Path(__file__).resolve().parents[2]
_FILE = ROOT / "web/node_modules/axe-core/axe.min.js"
# A tooltip stands outside of all landmarks, beside what it tells about, and its text is that of the label. Rules that
# are asked for by name look at it, too.
# The elements and the reasons are what one needs to mend it; the rest is the same for each finding of a rule.
# Beside the dialog in a popover, React Aria has buttons that close it, for screen readers alone: in no landmark.
# Behind a modal the page is hidden, with its landmark and its heading. Axe leaves those out of account when it sees a
# modal, which it guesses by what lies at some points of the window; here the page says so itself.
_RUN = """async (rules) => {
  const hidden = document.querySelector('main, [role="main"]')?.closest('[aria-hidden="true"], [inert]');
  const ofPage = { "landmark-one-main": { enabled: !hidden }, "page-has-heading-one": { enabled: !hidden } };
  const options = rules.length ? { runOnly: { type: "rule", values: rules } } : { rules: ofPage };
  const closers = '<div style="display: contents;">';
  const exclude = ['[data-overlay-container]:has(> [role="tooltip"])'];
  const where = rules.length ? document : { exclude };
  const { violations } = await axe.run(where, { resultTypes: ["violations"], ...options });
  return violations.flatMap(({ id, nodes }) =>
    nodes.filter(({ html }) => id !== "region" || !html.startsWith(closers))
      .map(({ html, failureSummary }) => `${id}: ${html.slice(0, 300)} ${failureSummary}`));
}"""


@cache
def _source() -> str:
    if not _FILE.is_file():
        ready = subprocess.run([ROOT / "scripts/web", "--ready"], capture_output=True, timeout=600, check=False)
        if ready.returncode:
            pytest.skip("needs axe-core, which comes with Node's packages of the page")
    return _FILE.read_text()


def find_violations(window: Window, *rules: str) -> list[str]:
    """What axe finds on the screen as it is now, by all of its rules or by these."""
    # The debugger runs this, which the Content-Security-Policy lets through.
    if not window.page.evaluate("() => Boolean(window.axe)"):
        window.page.evaluate(_source())
    found: list[Any] = window.page.evaluate(_RUN, list(rules))
    return [str(one) for one in found]
