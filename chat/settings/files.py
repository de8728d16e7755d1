"""Settings in files: one file of many variables (`--settings FILE`), and a file for each secret (`NAME_FILE`).

Rule 1: what the environment says wins over the file of variables.
Rule 2: a value from a file is never repeated in an error.
Rule 3: a secret's file holds the value and nothing else; one line break at its end is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

SUFFIX = "_FILE"
_MOST_BYTES = 64 * 1024
_LINE = re.compile(r"(?:export\s+)?(ROOKERY_\w+)=(.*)")


def parse_variables(path: Path) -> tuple[dict[str, str], list[str]]:
    """The variables of a file, and a sentence for each line that cannot be read.

    A line is `ROOKERY_NAME=VALUE`, empty, or a comment that begins with `#`; quotes around a value are left out.
    """
    try:
        lines = _read_text(path).splitlines()
    except (OSError, ValueError) as error:
        return {}, [f"--settings {path}: {_explain_error(error)}"]
    found: dict[str, str] = {}
    problems = []
    for number, line in enumerate(map(str.strip, lines), start=1):
        match = _LINE.fullmatch(line)
        if match and match[1] in found:
            problems.append(f"{path}, line {number}: {match[1]} is there twice; remove one")
        elif match:
            found[match[1]] = _unquote_value(match[2].strip())
        elif line and not line.startswith("#"):
            problems.append(f"{path}, line {number}: give ROOKERY_NAME=VALUE, or a comment after #")  # rule 2
    return found, problems


def read_secret_files(environ: Mapping[str, str], secrets: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """The variables with the secrets that stand in files, and a sentence for each file that cannot be read."""
    found = dict(environ)
    problems = []
    for name in secrets:
        file = found.pop(name + SUFFIX, None)
        if file is None:
            continue
        if name in found:
            problems.append(f"{name} and {name}{SUFFIX}: set only one of them")
            continue
        try:
            found[name] = re.sub(r"\r?\n\Z", "", _read_text(Path(file)))  # rule 3
        except (OSError, ValueError) as error:
            problems.append(f"{name}{SUFFIX}={file!r}: {_explain_error(error)}")
    return found, problems


def _read_text(path: Path) -> str:
    """Raises `OSError`, and `ValueError` for what is too long or no UTF-8."""
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError("too long")
    return data.decode()


def _explain_error(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"this file cannot be read: {error.strerror or type(error).__name__}"
    return f"give a file of UTF-8 text of at most {_MOST_BYTES} bytes"


def _unquote_value(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
