"""Plots as SVG that suit a light page and a dark one: horizontal bars, ours in colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from perf.peers.contestants import CONTESTANTS
from perf.peers.reporting import UNITS, format_figure
from perf.peers.results import Results
from perf.peers.scenarios import SCENARIOS, Scenario

WIDTH, NAMES, ROW, TOP = 760, 345, 26, 62
_STYLE = """<style>
.ink{fill:#1a1a1a}.soft{fill:#59636e}.ours{fill:#0072b2}.theirs{fill:#a8b0b8}.limit{fill:#e69f00}
@media(prefers-color-scheme:dark){.ink{fill:#f0f3f6}.soft{fill:#9ea7b3}.ours{fill:#56b4e9}.theirs{fill:#5c6670}.limit{fill:#d08a00}}
</style>"""


@dataclass(frozen=True)
class Bar:
    """A bar: its name, its length, what is written behind it, and whose it is: ours, theirs, or a limit."""

    name: str
    length: float
    words: str
    whose: str


def draw_bars(title: str, subtitle: str, bars: Sequence[Bar]) -> str:
    """Bars on one scale that begins at nought."""
    longest = max(bar.length for bar in bars) or 1.0
    room = WIDTH - NAMES - 90
    height = TOP + ROW * len(bars) + 10
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img" '
            'font-family="system-ui, sans-serif" font-size="14">'
        ),
        f"<title>{escape(title)}</title>",
        _STYLE,
        f'<text class="ink" x="8" y="24" font-weight="600">{escape(title)}</text>',
        f'<text class="soft" x="8" y="45" font-size="13">{escape(subtitle)}</text>',
    ]
    for row, bar in enumerate(bars):
        top = TOP + ROW * row
        length = max(2.0, bar.length / longest * room)
        weight = ' font-weight="600"' if bar.whose == "ours" else ""
        lines += [
            f'<text class="ink" x="{NAMES - 10}" y="{top + 14}" text-anchor="end"{weight}>{escape(bar.name)}</text>',
            f'<rect class="{bar.whose}" x="{NAMES}" y="{top}" width="{length:.1f}" height="18" rx="2"/>',
            f'<text class="soft" x="{NAMES + length + 8:.1f}" y="{top + 14}">{escape(bar.words)}</text>',
        ]
    return "\n".join([*lines, "</svg>\n"])


def plot_scenario(results: Results, scenario: Scenario) -> str | None:
    """The plot of a scenario's figure; None when nobody was measured."""
    bars = []
    for contestant in CONTESTANTS:
        value = results.median(scenario.letter, contestant.name, scenario.figure)
        if value is None:
            continue
        whose = "ours" if contestant.kit == "none" else "limit" if contestant.kit == "cc" else "theirs"
        bars.append(Bar(contestant.what.replace("`", ""), value, format_figure(value), whose))
    if not bars:
        return None
    bars.sort(key=lambda bar: bar.length, reverse=scenario.more)
    better = "more is better" if scenario.more else "less is better"
    return draw_bars(scenario.title, f"{UNITS[scenario.figure]}; {better}", bars)


def plot_all(results: Results) -> dict[str, str]:
    """File name → SVG, of every scenario that was measured."""
    drawn = {f"{each.letter}.svg": plot_scenario(results, each) for each in SCENARIOS}
    return {name: text for name, text in drawn.items() if text is not None}
