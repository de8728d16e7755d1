"""Charts as SVG: bars of stages (where the time of a message goes), of shares, a histogram. Shared by benchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, LEFT, BAR, ROW = 760, 20, 34, 20
_COLUMN_HEIGHT = 160
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
    return _page(title, top, body)


def draw_shares(title: str, bars: Mapping[str, Mapping[str, float]]) -> str:
    """Stacked bars of cores, each as wide as the page, with its name, its sum and its parts in words."""
    body: list[str] = []
    top = 56.0
    for name, parts in bars.items():
        whole = sum(parts.values())
        body.append(_text(LEFT, top, f"{name}: {whole:,.1f} cores", bold=True))
        body += _bar(parts, top + 10, (WIDTH - 2 * LEFT) / whole)
        top += 10 + BAR + 22
        for (part, value), colour in zip(parts.items(), COLOURS, strict=False):
            body.append(f'<rect x="{LEFT}" y="{top - 11:.0f}" width="12" height="12" fill="{colour}"/>')
            body.append(_text(LEFT + 20, top, f"{value / whole:.0%}, {value:,.2f} cores: {part}"))
            top += ROW
        top += 24
    return _page(title, top, body)


def draw_histogram(title: str, unit: str, counts: Mapping[str, Sequence[int]]) -> str:
    """Stacked columns, one for each whole `unit` from 0 on: how many of each kind there were."""
    columns = max(len(each) for each in counts.values())
    padded = {name: [*each, *[0] * (columns - len(each))] for name, each in counts.items()}
    tallest = max(sum(each[number] for each in padded.values()) for number in range(columns))
    floor, width = 56.0 + _COLUMN_HEIGHT, (WIDTH - 2 * LEFT) / columns
    body: list[str] = []
    for number in range(columns):
        top = floor
        for each, colour in zip(padded.values(), COLOURS, strict=False):
            height = each[number] * _COLUMN_HEIGHT / tallest
            top -= height
            place = f'x="{LEFT + number * width:.1f}" y="{top:.1f}" width="{width - 2:.1f}" height="{height:.1f}"'
            body.append(f'<rect {place} fill="{colour}"/>')
        body.append(_text(LEFT + number * width, floor + 18, str(number)))
    body.append(_text(LEFT, floor + 40, f"{unit}; the tallest column has {tallest}"))
    top = floor + 64
    for (name, each), colour in zip(padded.items(), COLOURS, strict=False):
        body.append(f'<rect x="{LEFT}" y="{top - 11:.0f}" width="12" height="12" fill="{colour}"/>')
        body.append(_text(LEFT + 20, top, f"{name}: {sum(each)}"))
        top += ROW
    return _page(title, top, body)


def _page(title: str, height: float, body: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" role="img" '
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
