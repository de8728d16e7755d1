"""`scripts/proto --check` finds what it is there to find."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUF = Path(sys.prefix) / "bin" / "buf"

BREAKING = {
    "another number": ("string token = 1;", "string token = 2;"),
    "another type": ("int64 expires_ms = 4;", "int32 expires_ms = 4;"),
    "a method less": ("  rpc CheckToken(CheckTokenRequest) returns (CheckTokenResponse);\n", ""),
    "another name": ("string family = 3;", "string log_in = 3;"),
}


def buf(root: Path, command: str, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BUF, command, ".", "--config", "proto/buf.yaml", "--path", "proto", *more],
        check=False,
        capture_output=True,
        text=True,
        cwd=root,
        timeout=60,
        env={"HOME": str(root), "PATH": ""},
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The interfaces, to be spoilt."""
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    return tmp_path


def change(root: Path, old: str, new: str) -> None:
    path = root / "proto/auth/v1/auth.proto"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_is_there_passes(copy: Path) -> None:
    assert buf(copy, "lint").stdout == ""
    assert buf(copy, "breaking", "--against", "proto/published.binpb").stdout == ""


@pytest.mark.parametrize("name", BREAKING)
def test_a_breaking_change_is_found(copy: Path, name: str) -> None:
    change(copy, *BREAKING[name])
    result = buf(copy, "breaking", "--against", "proto/published.binpb")
    assert result.returncode != 0
    assert "proto/auth/v1/auth.proto" in result.stdout


def test_an_addition_is_no_breaking_change(copy: Path) -> None:
    change(copy, "string name = 2;", "string name = 2;\n  // More.\n  string more = 9;")
    assert buf(copy, "breaking", "--against", "proto/published.binpb").returncode == 0


def test_a_message_without_a_comment_is_found(copy: Path) -> None:
    change(copy, "// Asks for one standing.\n", "")
    assert "CheckRoomAccessRequest" in buf(copy, "lint").stdout


def test_the_check_of_this_checkout_passes() -> None:
    result = subprocess.run(
        ["scripts/proto", "--check"], check=False, capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert result.returncode == 0, result.stdout + result.stderr
