"""Writes what the image is made of: a bill of materials (CycloneDX 1.6), and a list of licences; --check compares.

Both are made from what the installed packages say of themselves, in the versions of the lock file, and hold neither a
time nor a number drawn by chance: the same packages give the same files.

Rule 1: a package whose licence nobody has looked at, or does not fit Apache-2.0, is refused.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
BILL = ROOT / "requirements/production.cdx.json"
LIST = ROOT / "docs/licences.md"
EXTRA = "production"
IMAGE = {"python_version": "3.11", "python_full_version": "3.11.13", "sys_platform": "linux", "os_name": "posix"}
"""The Python and the system of the image (Containerfile), wherever this runs."""
FITTING = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Unlicense|CNRI|LGPL|ZPL|Zope|HPND)\b",
    re.IGNORECASE,
)
_CLASSIFIER = "License :: OSI Approved :: "
_NAMES = {
    "MIT License": "MIT",
    "The MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What packages wrote before there were expressions of SPDX."""


class Refused(Exception):
    """The message names each package whose licence is unknown or does not fit."""


def main() -> int:
    """0 when the files are current, or were written."""
    try:
        packages = list_packages()
        texts = {BILL: make_bill(packages), LIST: make_list(packages)}
    except Refused as error:
        print(error)
        return 1
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    if sys.argv[1:] == ["--check"]:
        print(
            *(f"{path.relative_to(ROOT)}: run scripts/lint --fix" for path in stale),
            sep="\n",
            end="\n" if stale else "",
        )
        return 1 if stale else 0
    for path in stale:
        path.write_text(texts[path])
    return 0


def list_packages() -> list[Distribution]:
    """What the extra `production` brings, by name. Raises `Refused` (rule 1)."""
    ours = distribution("rookery")
    found: dict[str, Distribution] = {}
    left = list(_list_asked(ours, [EXTRA]))
    seen: set[tuple[str, frozenset[str]]] = set()
    while left:
        wanted = left.pop()
        name = canonicalize_name(wanted.name)
        if (name, frozenset(wanted.extras)) in seen:
            continue
        seen.add((name, frozenset(wanted.extras)))
        package = ours if name == "rookery" else _get_package(name)
        left += _list_asked(package, list(wanted.extras))
        if name != "rookery":
            found[name] = package
    refused = [
        f"{name}: {read_licence(each) or 'no licence'}" for name, each in sorted(found.items()) if not fits_ours(each)
    ]
    if refused:
        raise Refused("\n".join(refused))
    return [found[name] for name in sorted(found)]


def _get_package(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise Refused(f"{name} is not installed: run this on Python 3.11, as the image does") from None


def _list_asked(package: Distribution, extras: list[str]) -> Iterator[Requirement]:
    for text in package.requires or ():
        wanted = Requirement(text)
        if wanted.marker is None or any(wanted.marker.evaluate({**IMAGE, "extra": extra}) for extra in ("", *extras)):
            yield wanted


def read_licence(package: Distribution) -> str:
    """An expression of SPDX where the package has one, else the name of its licence; empty if it has none."""
    metadata: Any = package.metadata
    if metadata["License-Expression"]:
        return str(metadata["License-Expression"])
    words = [line.removeprefix(_CLASSIFIER) for line in metadata.get_all("Classifier", []) if _CLASSIFIER in line]
    said = str(metadata["License"] or "").strip()
    if len(said) < 60 and said and "\n" not in said:
        words = [said]
    return " AND ".join(_NAMES.get(word, word) for word in words)


def fits_ours(package: Distribution) -> bool:
    licence = read_licence(package)
    return bool(FITTING.search(licence))


def make_bill(packages: list[Distribution]) -> str:
    """The bill of materials, as JSON."""
    components = [_describe(package) for package in packages]
    version = distribution("rookery").version
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(components) + version)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "rookery",
                "name": "rookery",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": "rookery", "dependsOn": [each["bom-ref"] for each in components]}],
    }
    # A line for each package, so that a change of one is a change of one line.
    lines = ",\n".join("    " + json.dumps(each, ensure_ascii=False) for each in components)
    whole = json.dumps({**bill, "components": []}, indent=2, ensure_ascii=False)
    return whole.replace('"components": []', f'"components": [\n{lines}\n  ]') + "\n"


def _describe(package: Distribution) -> dict[str, Any]:
    name, licence = canonicalize_name(package.name), read_licence(package)
    address = f"pkg:pypi/{name}@{package.version}"
    is_expression = bool(re.fullmatch(r"\(?[\w.+-]+(?: (?:AND|OR|WITH) \(?[\w.+-]+\)?)*", licence))
    return {
        "type": "library",
        "bom-ref": address,
        "name": name,
        "version": package.version,
        "licenses": [{"expression": licence} if is_expression else {"license": {"name": licence}}],
        "purl": address,
    }


def make_list(packages: list[Distribution]) -> str:
    """The list for people, as a page."""
    rows = [f"| {canonicalize_name(each.name)} | {each.version} | {read_licence(each)} |" for each in packages]
    head = (
        "# Licences\n\nRookery is under Apache-2.0 (`LICENSE`). The image holds these packages beside Python and the "
        "base of Debian, each\nunder its own licence. `scripts/lint --fix` writes this page and "
        "`requirements/production.cdx.json`, the same as a bill\nof materials (CycloneDX), from "
        "`requirements/production.txt`, which has the hashes of the files.\n\n"
        "| package | version | licence |\n| --- | --- | --- |\n"
    )
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(main())
