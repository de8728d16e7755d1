"""A message's Markdown as plain words in one line, for notifications and mails: as the page shows it in one line.

Rule 1: what is read stays (words, labels of links, code, mentions, the numbers of a list), and its marks go. The
  grammar is that of the page's messages (`web/app/markdown/tree.ts`). Both are tested with the same cases, those of
  `tests/support/plain_cases.json`.
Rule 2: `:shortcodes:` become emoji where the message draws them, so not in code and not in addresses.
Rule 3: a text of marks alone, such as `***`, stays as it was written: no message is empty.
Rule 4: of a long text only as much is parsed as can show, and what leads to it.
Rule 5: the work grows with the length of the text alone, and each character costs little, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, backtick, link
from markdown_it.token import Token

from chat.domain.code import find_code
from chat.texts.emoji_names import draw_shortcodes

_MARKUP = 8
"""So much markup may stand between the characters that show: addresses of links, for example."""
_FEWEST = 1_000
_DEEPEST = 100
_DEEPEST_LABEL = 12
_ENDS = ("\n\n", "\n", " ")
_NEW_LINE = re.compile(r"\r\n|\r|\n")
_MENTION = re.compile(r"@_+")
_TILDES = re.compile(r"~+")
_STRIKES = 2
_SENTENCE = ".,;:!?…'\"*_~)]"
_ADDRESS = re.compile(r"://[^\s<]+")
_SCHEME = re.compile(r"(?<![a-z0-9])https?$", re.IGNORECASE)
_CLOSING = re.compile(r"[ \t>]*(`{3,}|~{3,})[ \t]*")


@lru_cache(maxsize=256)  # a message of a room is announced to many
def write_excerpt(text: str, length: int) -> str:
    """The plain words of a text in one line of at most `length` characters, of which the last may be "…"."""
    part = _cut_beginning(text, max(_FEWEST, _MARKUP * length))  # rule 4
    is_cut = len(part) < len(text)
    shown = " ".join(write_plain_words(part, is_cut=is_cut).split())
    if len(shown) <= length and not is_cut:
        return shown
    return f"{shown[: length - 1].rstrip()}…"


def write_plain_words(text: str, *, is_cut: bool = False) -> str:
    """The plain words of a text, its blocks on lines of their own.

    `is_cut`: the text is the beginning of a longer one, so a fence that nothing ends is code.
    """
    return "\n".join(_list_blocks(text, is_cut)).strip() or text.strip()  # rule 3


def _cut_beginning(text: str, most: int) -> str:
    """So many characters, to where a paragraph, a line or a word ends."""
    if len(text) <= most:
        return text
    part = text[:most]
    ends = (part.rfind(end) for end in _ENDS)
    return part[: next((end for end in ends if end > most // 2), most)]


def _list_blocks(text: str, is_cut: bool) -> Iterator[str]:
    lines = _NEW_LINE.split(text)
    numbers: list[int | None] = []
    row: list[str] | None = None
    mark = ""
    for token in _PARSER.parse(text):
        mark += _write_mark(token, numbers)
        shown = ""
        if token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            shown, row = " · ".join(filter(str.strip, row or ())), None
        elif token.type == "inline" and row is not None:
            row.append(_write_line(token.children or ()))
        elif token.type == "inline":
            shown = _write_line(token.children or ())
        elif token.type == "fence":
            shown = _write_fence(token, lines, is_cut)
        if shown.strip() or (mark and token.type == "list_item_close"):
            yield mark + shown
            mark = ""


def _write_mark(token: Token, numbers: list[int | None]) -> str:
    """The mark of the list's item that begins here. `numbers`: the next number of each list around it."""
    if token.type == "bullet_list_open":
        numbers.append(None)
    elif token.type == "ordered_list_open":
        numbers.append(int(token.attrs.get("start", 1)))
    elif token.type in ("bullet_list_close", "ordered_list_close"):
        numbers.pop()
    elif token.type == "list_item_open":
        number = numbers.pop()
        numbers.append(None if number is None else number + 1)
        return "• " if number is None else f"{number}. "
    return ""


def _write_fence(token: Token, lines: Sequence[str], is_cut: bool) -> str:
    """Its code. A fence that nothing ends is text."""
    first, after = token.map or [0, 0]
    code = token.content.removesuffix("\n")
    closing = _CLOSING.fullmatch(lines[after - 1]) if after - 1 > first else None
    if is_cut or (closing and closing[1].startswith(token.markup)):
        return code
    return f"{token.markup}{token.info}\n{code}"


def _write_line(tokens: Sequence[Token]) -> str:
    """Texts that follow each other are one, so that names and code are found across them."""
    shown, text = "", ""
    for token in tokens:
        if token.type in ("text", "text_special"):
            text += token.content
        elif token.type in ("softbreak", "hardbreak"):
            text += "\n"
        else:
            shown += _write_text(text) + (token.content if token.type == "code_inline" else "")
            text = ""
    return shown + _write_text(text)


def _write_text(text: str) -> str:
    """Rule 2. Code over several lines is text for the parser, and code for everybody else."""
    shown, done = "", 0
    for start, end in find_code(text):
        shown += draw_shortcodes(text[done:start])
        marks = len(text[start:end]) - len(text[start:end].lstrip("`"))
        shown += text[start + marks : end - marks]
        done = end
    return shown + draw_shortcodes(text[done:])


def _keep_mention(state: StateInline, silent: bool) -> bool:
    """The underscores of `@_ada_` are the name's, and no emphasis."""
    match = _MENTION.match(state.src, state.pos, state.posMax)
    return match is not None and _keep_text(state, match.end(), silent)


def _keep_address(state: StateInline, silent: bool) -> bool:
    """Nothing within an address is a mark. What ends the sentence around it is none of it."""
    match = _ADDRESS.match(state.src, state.pos, state.posMax)
    if match is None or not _SCHEME.search(state.src, max(0, state.pos - 6), state.pos):
        return False
    return _keep_text(state, state.pos + len(match[0].rstrip(_SENTENCE)), silent)


def _keep_tildes(state: StateInline, silent: bool) -> bool:
    """Two tildes strike words out, and no other number of them."""
    match = _TILDES.match(state.src, state.pos, state.posMax)
    return match is not None and len(match[0]) != _STRIKES and _keep_text(state, match.end(), silent)


def _read_code(state: StateInline, silent: bool) -> bool:
    """Code stays on one line, unlike in CommonMark; `_write_text` knows what goes over several."""
    end, most = state.src.find("\n", state.pos, state.posMax), state.posMax
    state.posMax = most if end < 0 else end
    found = backtick(state, silent)
    state.posMax = most
    return found


def _read_link(state: StateInline, silent: bool) -> bool:
    """Rule 5: each bracket tries all that it holds. Those too deep end the tries of those around them."""
    if silent and state.level > _DEEPEST_LABEL and state.src[state.pos] == "[":
        state.pos = state.posMax
        return True
    return link(state, silent)


def _keep_text(state: StateInline, end: int, silent: bool) -> bool:
    if not silent:
        state.pending += state.src[state.pos : end]
    state.pos = end
    return True


def _make_parser() -> MarkdownIt:
    """Rule 1: CommonMark with tables and strikethrough, without what surprises in a chat."""
    parser = MarkdownIt("zero", {"maxNesting": _DEEPEST})
    parser.enable(["table", "fence", "blockquote", "hr", "list", "heading"])
    parser.enable(["newline", "escape", "backticks", "strikethrough", "emphasis", "link", "autolink"])
    parser.inline.ruler.at("backticks", _read_code)
    parser.inline.ruler.at("link", _read_link)
    parser.inline.ruler.after("text", "tildes", _keep_tildes)
    parser.inline.ruler.after("text", "mention", _keep_mention)
    parser.inline.ruler.after("text", "address", _keep_address)
    setattr(parser, "validateLink", _is_safe)  # noqa: B010
    return parser


def _is_safe(address: str) -> bool:
    """The addresses that the page links to: http and https with a host, and mailto."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "mailto" or (parts.scheme in ("http", "https") and bool(parts.hostname))


_PARSER = _make_parser()
