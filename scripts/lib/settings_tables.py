"""Writes the tables of the settings into docs/*.md, from the code; with --check, says which are not current.

The table of a group of `chat.settings` stands between `<!-- settings GROUP -->` and `<!-- end of settings -->`, once.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

from chat.settings import Variable, list_variables

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"(<!-- settings (\w+) -->\n).*?(<!-- end of settings -->)", re.DOTALL)


def main() -> int:
    """0 when all tables are there and, with --check, current."""
    check = sys.argv[1:] == ["--check"]
    tables = make_tables()
    found: Counter[str] = Counter()
    stale: list[Path] = []
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text()
        found.update(match[2] for match in BLOCK.finditer(text))
        current = BLOCK.sub(lambda match: match[1] + tables.get(match[2], "") + match[3], text)
        if current != text and not check:
            page.write_text(current)
        if current != text:
            stale.append(page)
    problems = [f"docs/{page.name}: run scripts/lint --fix" for page in stale if check]
    for group in sorted(tables.keys() | found.keys()):
        if group not in tables:
            problems.append(f"docs/*.md: there is no group {group} of settings")
        elif found[group] != 1:
            problems.append(f"docs/*.md: the table of the group {group} stands there {found[group]} times")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


def make_tables() -> dict[str, str]:
    """The table of each group; those of `Settings` itself are called `process`."""
    rows: dict[str, list[str]] = {}
    for variable in list_variables():
        rows.setdefault(variable.group or "process", []).append(_make_row(variable))
    return {
        group: "\n".join(["", "| variable | default | what it is |", "| --- | --- | --- |", *lines, "", ""])
        for group, lines in rows.items()
    }


def _make_row(variable: Variable) -> str:
    default = show_default(variable.default)
    setting = variable.setting
    what = setting.description + (f"; as `{setting.flag}`" if setting.flag else "")
    what += f"; or `{variable.name}_FILE`, the path of a file that holds it" if setting.secret else ""
    return f"| `{variable.name}` | {f'`{default}`' if default else ''} | {what} |".replace("|  |", "| |")


def show_default(default: object) -> str:
    """A default as one writes it into a variable."""
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, float):
        return f"{default:g}"
    return "" if default is None or default == () else str(default)


if __name__ == "__main__":
    sys.exit(main())
