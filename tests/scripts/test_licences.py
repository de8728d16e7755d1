"""The bill of materials and the list of licences: current, repeatable, and with a fitting licence for each package."""

from __future__ import annotations

import json
import sys
from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.licences import BILL, LIST, fits_ours, list_packages, make_bill, make_list, read_licence

on_the_images_python = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the image has Python 3.11")


class Package(Distribution):
    """A package that says this of itself."""

    def __init__(self, *headers: tuple[str, str]) -> None:
        self._message = Message()
        for name, value in headers:
            self._message[name] = value

    @property
    def metadata(self) -> Any:
        return self._message

    def read_text(self, filename: str) -> str | None:
        return None

    def locate_file(self, path: Any) -> Path:
        return Path(path)


@on_the_images_python
def test_the_files_are_current() -> None:
    packages = list_packages()
    assert BILL.read_text() == make_bill(packages)
    assert LIST.read_text() == make_list(packages)


@on_the_images_python
def test_the_bill_names_each_package_once_with_a_licence() -> None:
    bill = json.loads(make_bill(list_packages()))
    names = [each["name"] for each in bill["components"]]
    assert len(names) == len(set(names)) > 50
    assert {"aiokafka", "grpcio", "redis", "pymongo"} <= set(names)
    assert not {"hatchling", "pytest", "rookery"} & set(names)
    assert all(each["licenses"] for each in bill["components"])
    assert bill["dependencies"][0]["dependsOn"] == [each["bom-ref"] for each in bill["components"]]


@pytest.mark.parametrize(
    ("headers", "licence", "fits"),
    [
        ([("License-Expression", "MIT OR Apache-2.0"), ("License", "what it was")], "MIT OR Apache-2.0", True),
        ([("License", "BSD License")], "BSD-3-Clause", True),
        ([("Classifier", "License :: OSI Approved :: MIT License")], "MIT", True),
        ([("License", "GNU GPL v3")], "GNU GPL v3", False),
        ([("License-Expression", "AGPL-3.0-or-later")], "AGPL-3.0-or-later", False),
        ([], "", False),
    ],
    ids=["an expression wins", "an old name", "a classifier", "GPL", "AGPL", "none"],
)
def test_a_licence_is_read_and_judged(headers: list[tuple[str, str]], licence: str, fits: bool) -> None:
    package = Package(*headers)
    assert read_licence(package) == licence
    assert fits_ours(package) is fits
