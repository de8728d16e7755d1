"""What a screen says in a language that is not the user's: words in Latin letters on a Russian page."""

from __future__ import annotations

import re

from tests.support.browser import Window

# What is seen, and what a screen reader or a tooltip says; what stands in a field is the user's own.
_SAID = """() => {
  const said = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const { parentElement: around } = node;
    if (around.checkVisibility() && !around.closest("script, style, textarea")) said.push(node.data);
  }
  for (const one of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
    if (!one.checkVisibility()) continue;
    for (const name of ["aria-label", "title", "placeholder", "alt"]) said.push(one.getAttribute(name) ?? "");
  }
  return said;
}"""
_WORD = re.compile(r"[A-Za-z]{2,}")
# The product, keys as they stand on keyboards, a language's own name, and the sign of formats.
_KNOWN = ("Rookery", "Ctrl", "Shift", "Alt", "Enter", "English", "Aa")


def find_latin_words(window: Window, *own: str) -> list[str]:
    """The texts with a word in Latin letters, but for `own`: names and addresses that are the users'."""
    known = re.compile("|".join(re.escape(word) for word in sorted((*own, *_KNOWN), key=len, reverse=True)))
    said: list[str] = window.page.evaluate(_SAID)
    return sorted({text for text in said if _WORD.search(known.sub("", text))})
