"""What is wrong with the layout of a screen, by geometry: cut texts, texts over texts, and controls out of reach."""

from __future__ import annotations

from typing import Any

from tests.support.browser import Window

# Some frames, as a list that is scrolled draws its rows then.
# - "sideways": the page, or a part of it, has to be scrolled to the side. Code, tables and rows of tabs may.
# - "cut": a box cuts its text off, without an ellipsis and without scrolling.
# - "text over text": lines of two elements lie over one another, each where its scrolling parents show it.
# - "out of reach": after one has scrolled to it, something else lies over the middle of a control, or it is outside.
_FIND = """async ([size]) => {
  if (size) document.documentElement.style.fontSize = size;
  for (let frame = 0; frame < 4; frame += 1) await new Promise(requestAnimationFrame);
  const found = [];
  const unsaid = / (?:class|id|aria-labelledby|aria-describedby)="[^"]*"/g;
  const name = (one) => one.outerHTML.replaceAll(unsaid, "").slice(0, 200);
  const tell = (what, ...ones) => found.push(`${what}: ${ones.map(name).join(" AND ")}`);
  const gone = '[aria-hidden="true"], [inert], .visually-hidden, [data-live-announcer]';
  const seen = (one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !one.closest(gone);
  const all = [...document.querySelectorAll("body *")].filter(seen);
  const tiny = (box) => box.width <= 1 || box.height <= 1;
  const modal = [...document.querySelectorAll("dialog[open]")].at(-1);
  const here = modal?.matches(":modal") ? all.filter((one) => modal.contains(one)) : all;

  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) tell("sideways", document.body);
  if (root.scrollHeight > root.clientHeight + 1) tell("higher than the window", document.body);
  for (const one of here) {
    if (tiny(one.getBoundingClientRect()) || one.matches("input, textarea, select, svg, svg *")) continue;
    const style = getComputedStyle(one);
    const across = one.scrollWidth > one.clientWidth + 1;
    if (/auto|scroll/.test(style.overflowX) && across && !one.matches('pre, nav, [role="tablist"], :has(> table)'))
      tell("sideways", one);
    // Emoji for which there is no font are wider than others.
    if (!/[\\p{L}\\p{N}]/u.test(one.textContent) || style.display === "inline") continue;
    const isClamped = style.webkitLineClamp !== "none";
    if (/hidden|clip/.test(style.overflowX) && across && style.textOverflow !== "ellipsis" && !isClamped) {
      tell("cut", one);
    }
    if (/hidden|clip/.test(style.overflowY) && one.scrollHeight > one.clientHeight + 3 && !isClamped
      && !one.matches('body, #root')) tell("cut below", one);
  }

  // A line, where one sees it: within all that cuts it off.
  const shown = (one, line) => {
    let { left, top, right, bottom } = line;
    for (let box = one; box && box !== document.body; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (style.overflowX === "visible" && style.overflowY === "visible") {
        if (style.position === "fixed") break;
        continue;
      }
      const edge = box.getBoundingClientRect();
      [left, top] = [Math.max(left, edge.left), Math.max(top, edge.top)];
      [right, bottom] = [Math.min(right, edge.right), Math.min(bottom, edge.bottom)];
    }
    return { left, top, right, bottom };
  };
  const isOver = (one) => {
    for (let box = one; box; box = box.parentElement) {
      const { position, zIndex } = getComputedStyle(box);
      if (position === "fixed" || position === "sticky" || (position === "absolute" && zIndex !== "auto")) return true;
    }
    return false;
  };
  const lines = [];
  const walker = document.createTreeWalker(modal ?? document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const one = node.parentElement;
    if (!node.data.trim() || !one || !here.includes(one) || one.matches("option, textarea")) continue;
    if (isOver(one)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const line of range.getClientRects()) {
      const box = shown(one, line);
      if (box.right - box.left > 2 && box.bottom - box.top > 4) lines.push({ one, ...box });
    }
  }
  lines.sort((one, other) => one.top - other.top);
  for (const [at, one] of lines.entries()) {
    for (const other of lines.slice(at + 1)) {
      if (other.top > one.bottom) break;
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      // Lines are as high as their letters may be: a few pixels of two may meet.
      const least = Math.min(one.bottom - one.top, other.bottom - other.top);
      if (one.one !== other.one && wide > 3 && high > least * 0.35) tell("text over text", one.one, other.one);
    }
  }

  const pressed = 'button, a[href], input, textarea, select, [role="tab"], [role="option"], [role^="menuitem"]';
  const controls = here.filter((one) => one.matches(pressed));
  for (const one of controls) {
    if (one.matches(":disabled, .skip, [tabindex='-1'][aria-hidden]")) continue;
    const target = tiny(one.getBoundingClientRect()) || one.matches('input:is([type="radio"], [type="checkbox"])')
      ? (one.closest("label") ?? one.labels?.[0]) : one;
    // In a box of one pixel, it shows when it has the focus.
    if (!target || tiny(target.getBoundingClientRect()) || tiny(target.parentElement.getBoundingClientRect())) continue;
    target.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
    const box = target.getBoundingClientRect();
    if (box.left < -1 || box.right > innerWidth + 1) {
      tell("out of reach, beside the window", target);
      continue;
    }
    const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height, innerHeight) / 2];
    const top = document.elementFromPoint(x, y);
    const isOwn = top && (target.contains(top) || top.contains(target) || top.closest("label")?.contains(one));
    // A tooltip and a notice go by themselves. A list may have drawn its rows anew meanwhile.
    const isPassing = top?.closest('[role="tooltip"], [data-testid="notice"]') || !target.isConnected;
    if (!top) tell("out of reach, outside of the window", target);
    else if (!isOwn && !isPassing) tell("out of reach, below", target, top);
  }
  return [...new Set(found)];
}"""


def find_flaws(window: Window, text_size: str = "") -> list[str]:
    """What is wrong on the screen as it is now, with texts of this size (of the browser's, such as `200%`)."""
    found: list[Any] = window.page.evaluate(_FIND, [text_size])
    return [str(one) for one in found]
