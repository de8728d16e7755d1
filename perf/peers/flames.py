"""Draws a flame graph as SVG from sampled stacks, small enough to be kept: what is narrower than a pixel is left out.

A stack is a line `outer;inner;innermost COUNT`, as py-spy's format `raw` has it. What every stack begins with, from the
command line to the task, is cut off. Samples in the event loop itself are left out: waiting cannot be told from working
there. The full name of a frame, and its share, are its tooltip.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

WIDTH, ROW, TOP = 1200, 18, 56
_LETTER = 6.6
_NARROWEST = 1.0
_WORD_WIDTH = 24
_ROOTS = ("TaskHandle._run_coro ", "Thread.run ", "Runner.run ")
_STYLE = """<style>
.ink{fill:#1a1a1a}.soft{fill:#59636e}text{pointer-events:none}rect{stroke:#fff;stroke-width:.5}
@media(prefers-color-scheme:dark){.title{fill:#f0f3f6}.soft{fill:#9ea7b3}rect{stroke:#0d1117}}
</style>"""


@dataclass
class Frame:
    """Samples in a function and in all that it called."""

    samples: int = 0
    calls: dict[str, Frame] = field(default_factory=dict)


def cut_stack(frames: list[str]) -> list[str]:
    """The frames behind the last one that only starts things; none for the event loop itself."""
    for place in range(len(frames) - 1, -1, -1):
        if frames[place].startswith(_ROOTS):
            return frames[place + 1 :]
    return frames


def read_stacks(lines: Iterable[str]) -> Frame:
    """All stacks as a tree, whose root stands for all samples."""
    root = Frame()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        frames = cut_stack(stack.split(";"))
        if not frames:
            continue
        at = root
        at.samples += int(count)
        for name in frames:
            at = at.calls.setdefault(name, Frame())
            at.samples += int(count)
    return root


def _place_frames(frame: Frame, left: float, depth: int, scale: float) -> Iterator[tuple[str, int, float, float, int]]:
    """(name, samples, left, width, depth) of what a frame called, and of what that called; the broadest first."""
    for name, called in sorted(frame.calls.items(), key=lambda item: -item[1].samples):
        width = called.samples * scale
        if width >= _NARROWEST:
            yield name, called.samples, left, width, depth
            yield from _place_frames(called, left, depth + 1, scale)
        left += width


def draw_flames(title: str, root: Frame) -> str:
    """The SVG; callers stand above what they call. Raises `ValueError` when there is no sample."""
    if not root.samples:
        raise ValueError("there is no sample to draw")
    placed = list(_place_frames(root, 0.0, 0, WIDTH / root.samples))
    height = TOP + ROW * (1 + max(depth for *_, depth in placed)) + 8
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img" '
            'font-family="ui-monospace, monospace" font-size="11">'
        ),
        _STYLE,
        f'<text class="ink title" x="8" y="22" font-size="16" font-weight="600">{escape(title)}</text>',
        f'<text class="soft" x="8" y="42">{root.samples:,} samples outside of the event loop</text>',
    ]
    frames = []
    for name, samples, left, width, depth in placed:
        top = TOP + ROW * depth
        share = f"{name}: {100 * samples / root.samples:.1f} %"
        frames.append(
            f'<g><title>{escape(share)}</title><rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW}" '
            f'fill="{_choose_colour(name)}"/>'
        )
        if width >= _WORD_WIDTH:
            word = name.partition(" ")[0][: int((width - 6) / _LETTER)]
            frames.append(f'<text class="ink" x="{left + 3:.1f}" y="{top + 13}">{escape(word)}</text>')
        frames.append("</g>")
    return "\n".join([*lines, "".join(frames), "</svg>\n"])


def _choose_colour(name: str) -> str:
    """Ours are warm and libraries are grey; a function has the same colour in every graph."""
    ours = any(f"({room}/" in name for room in ("chat", "gateway", "workers", "services", "rookery", "scripts"))
    tone = zlib.crc32(name.encode()) % 100
    return (
        f"hsl({22 + tone * 0.3:.0f} 85% {66 + tone * 0.12:.0f}%)" if ours else f"hsl(215 12% {74 + tone * 0.12:.0f}%)"
    )
