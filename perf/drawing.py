"""A bar of stages, as SVG: where the time of a message goes, above what the bare servers take. Shared by benchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

WIDTH, LEFT, BAR, ROW = 760, 20, 34, 20
# Okabe and Ito's colours, which everybody can tell apart.
COLOURS = ("#56b4e9", "#e69f00", "#f0e442", "#009e73", "#d55e00", "#cc79a7", "#999999")


def draw(title: str, bars: Mapping[str, Mapping[str, float]]) -> str:
    """Stacked bars of milliseconds on one scale, each with its name, its sum and its parts in words."""
    longest = max(sum(parts.values()) for parts in bars.values())
    scale = (WIDTH - 2 * LEFT) / longest
    body: list[str] = []
    top = 56.0
    for name, parts in bars.items():
        body.append(_text(LEFT, top, f"{name}: {sum(parts.values()):.1f} ms", bold=True))
        body += _bar(parts, top + 10, scale)
        top += 10 + BAR + 22
        for (part, value), colour in zip(parts.items(), COLOURS, strict=False):
            body.append(f'<rect x="{LEFT}" y="{top - 11:.0f}" width="12" height="12" fill="{colour}"/>')
            body.append(_text(LEFT + 20, top, f"{value:.2f} ms  {part}"))
            top += ROW
        top += 24
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:.0f}" width="{WIDTH}" role="img" '
        'font-family="system-ui, sans-serif" font-size="14">'
    )
    paper = '<rect width="100%" height="100%" fill="#ffffff"/>'
    return "\n".join(
        (head, f"<title>{escape(title)}</title>", paper, _text(LEFT, 28, title, bold=True), *body, "</svg>\n")
    )


def _bar(parts: Mapping[str, float], top: float, scale: float) -> Iterator[str]:
    left = float(LEFT)
    for value, colour in zip(parts.values(), COLOURS, strict=False):
        width = value * scale
        place = f'x="{left:.1f}" y="{top:.0f}" width="{width:.1f}" height="{BAR}"'
        yield f'<rect {place} fill="{colour}" stroke="#ffffff"/>'
        left += width


def _text(left: float, top: float, words: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{left:.0f}" y="{top:.0f}" fill="#1a1a1a"{weight}>{escape(words)}</text>'
