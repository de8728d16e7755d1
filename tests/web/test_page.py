"""The page as files: complete, within the strict Content-Security-Policy, and without markup made of data."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from web import STATIC

SOURCES = Path(__file__).resolve().parents[2] / "web/app"
MODULES = sorted(
    path for path in SOURCES.rglob("*") if path.suffix in {".js", ".ts", ".tsx"} and not path.name.endswith(".d.ts")
)
ENTRIES = {SOURCES / "main.tsx", SOURCES / "sw.js"}
STYLES = sorted(SOURCES.rglob("*.css"))
ICONS = sorted(STATIC.rglob("*.svg"))
LONGEST = 400
_ENDS = (".ts", ".tsx")

_IMPORT = re.compile(r"""(?:(?<!["'])\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']""")
_COMMENT = re.compile(r"/\*[\s\S]*?\*/|(?<!:)//.*")
# What turns data into markup or code, or styles that the policy forbids.
_FORBIDDEN = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|eval|new Function"
    r"|DOMParser|srcdoc|cssText)\b|\.style\b(?!\.(?:transform|removeProperty)\b)"
    r"|(?<!\| )[\"']style[\"']|(?<![\w.])(?:alert|confirm|prompt)\("
)


def _code(path: Path) -> str:
    return _COMMENT.sub("", path.read_text())


class Page(HTMLParser):
    """Collects what `index.html` refers to, and what it may not have."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[str] = []
        self.inline: list[str] = []
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._open = tag
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        for name in ("src", "href"):
            if value := given.get(name):
                self.files.append(value)

    def handle_data(self, data: str) -> None:
        if self._open in {"script", "style"} and data.strip():
            self.inline.append(data.strip())


@pytest.fixture(scope="module")
def page() -> Page:
    parsed = Page()
    parsed.feed((STATIC / "index.html").read_text())
    return parsed


def test_everything_that_the_page_names_is_there(page: Page) -> None:
    assert page.files
    missing = [name for name in page.files if not (STATIC / name).is_file()]
    assert missing == []


def test_nothing_is_inline(page: Page) -> None:
    assert page.inline == []


def test_the_manifest_names_files_that_are_there() -> None:
    manifest = json.loads((STATIC / "manifest.webmanifest").read_text())
    assert [icon["src"] for icon in manifest["icons"] if not (STATIC / icon["src"]).is_file()] == []


def test_the_list_of_files_is_that_of_the_build() -> None:
    """What the service worker keeps: `buildOfDocument` of `core/shell.ts` must give the same name."""
    manifest = json.loads((STATIC / "assets.json").read_text())
    scripts = re.findall(r'<script [^>]*src="\./assets/([^"]+)"', (STATIC / "index.html").read_text())
    assert manifest["build"] == " ".join(sorted(scripts))
    built = {f"assets/{path.name}" for path in (STATIC / "assets").iterdir() if path.suffix not in {".br", ".gz"}}
    assert set(manifest["files"]) == built


def test_every_source_is_used() -> None:
    """By the page: what tests alone use is dead."""
    seen, todo = set(ENTRIES), list(ENTRIES)
    while todo:
        module = todo.pop()
        for name in _IMPORT.findall(_code(module)):
            if name.startswith("."):
                found = _find_source((module.parent / name).resolve())
                if found not in seen:
                    seen.add(found)
                    todo.append(found)
    assert {*MODULES} - seen == set()


def _find_source(named: Path) -> Path:
    """The file that an import means: in TypeScript, a module is imported by the name that it has once it is built."""
    candidates = [named, named.with_suffix(".ts"), named.with_suffix(".tsx"), *(Path(f"{named}{end}") for end in _ENDS)]
    return next((path for path in candidates if path.is_file()), named)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCES)))
def test_no_module_makes_markup_or_styles_of_data(module: Path) -> None:
    assert [match.group() for match in _FORBIDDEN.finditer(_code(module))] == []


def test_nothing_comes_from_elsewhere() -> None:
    """No address of another host, but for the names of XML namespaces."""
    for path in [*MODULES, *STYLES, SOURCES / "index.html"]:
        text = _code(path)
        found = [address for address in re.findall(r"https?://[\w.]+", text) if address != "http://www.w3.org"]
        assert found == [], path.name
        assert "@import" not in text, path.name


def test_every_icon_that_is_shown_is_drawn() -> None:
    drawn = set(re.findall(r'^  "?([a-z-]+)"?:\s*"M', (SOURCES / "core/icons.ts").read_text(), re.MULTILINE))
    text = "".join(module.read_text() for module in MODULES)
    shown = set(re.findall(r'(?:\bicon(?:=|: )|<Icon name=)"([a-z-]+)"', text))
    assert shown
    assert shown - drawn == set()
    assert {name for name in drawn if f'"{name}"' not in text} == set()


def test_the_gallery_shows_the_whole_kit() -> None:
    exports = re.sub(r"export type.*", "", (SOURCES / "kit/index.ts").read_text())
    kit = {name for names in re.findall(r"export {(.*?)}", exports) for name in re.findall(r"(?<!type )\b\w+", names)}
    kit -= {"type", "Option", "MenuEntry", "TabSpec"}
    shown = "".join(path.read_text() for path in (SOURCES / "gallery").glob("*.tsx"))
    missing = {name for name in kit if f"kit.{name}" not in shown}
    # A part of an avatar, what the log-out calls, and a popover without a button of its own.
    assert missing == {"Presence", "closeOverlays", "PopoverAt"}


@pytest.mark.parametrize("drawing", ICONS, ids=lambda path: path.stem)
def test_drawings_hold_no_script_or_style(drawing: Path) -> None:
    assert re.search(r"<script|<style|\bstyle=|\son\w+=", drawing.read_text()) is None


def test_files_are_of_a_size_that_one_reads() -> None:
    long = {path.name: lines for path in [*MODULES, *STYLES] if (lines := path.read_text().count("\n")) > LONGEST}
    assert long == {}


def _luminance(colour: str) -> float:
    """Relative luminance, by WCAG 2.2."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


GROUNDS = ["bg", "bg-nav", "bg-raised", "bg-hover", "bg-nav-hover", "bg-selected", "ac-soft"]
TEXTS = [
    ("tx", [*GROUNDS, "bg-code", "bg-mention"]),
    ("tx-2", [*GROUNDS, "bg-code", "bg-mention"]),
    ("tx-3", ["bg", "bg-nav", "bg-raised", "bg-hover", "bg-nav-hover"]),
    ("ac", ["bg", "bg-nav", "bg-raised", "bg-hover", "ac-soft"]),
    ("link", ["bg", "bg-raised", "bg-hover", "bg-mention"]),
    ("ac-tx", ["ac", "ac-hover"]),
    ("badge-tx", ["badge"]),
    ("danger", ["bg", "bg-raised", "bg-hover", "danger-soft"]),
    ("danger-tx", ["danger", "danger-hover"]),
    ("warn-tx", ["warn-soft"]),
    ("unread", ["bg"]),
    ("mark-tx", ["mark"]),
]
PARTS = [("bd-strong", ["bg", "bg-raised"]), ("ac", ["bg", "bg-nav", "bg-raised"])]
PARTS += [(dot, ["bg", "bg-nav"]) for dot in ("online", "away", "offline")]


def _schemes() -> dict[str, dict[str, str]]:
    text = (SOURCES / "css/tokens.css").read_text()
    pairs = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", text.partition("@media")[0])
    return {
        "light": {name: light for name, light, _ in pairs},
        "dark": {name: dark for name, _, dark in pairs},
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme: str) -> None:
    """WCAG 2.2 AA: 4.5 for text, 3 for the parts of controls that one must see."""
    colours = _schemes()[scheme]
    weak = [
        f"{one} on {ground}: {contrast:.2f}"
        for pairs, least in ((TEXTS, 4.5), (PARTS, 3.0))
        for one, grounds in pairs
        for ground in grounds
        if (contrast := _contrast(colours[one], colours[ground])) < least
    ]
    assert weak == []


def test_contrast_of_initials() -> None:
    discs = re.findall(r"--disc: (#[0-9a-f]{6})", (SOURCES / "css/tokens.css").read_text())
    assert len(discs) == 8
    assert [disc for disc in discs if _contrast(disc, "#ffffff") < 4.5] == []
