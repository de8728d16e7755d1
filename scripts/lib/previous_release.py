"""The release before this one, for tests of compatibility: its code in a folder, to be run with the present packages.

It is the newest tag `v…` before the present commit, from git. Where there is none, it is the wheel in tests/compat/,
which `python scripts/lib/previous_release.py REF` makes anew from a commit or tag.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WHEELS = ROOT / "tests/compat"
_HOME = ROOT / "output/previous"


def unpack_previous() -> Path:
    """The folder of the release before; `python -m rookery` in it runs that release."""
    tag = find_tag()
    name = tag or find_wheel().stem
    folder = _HOME / name
    if not (folder / "rookery").is_dir():
        draft = Path(tempfile.mkdtemp(dir=_make_home()))
        if tag:
            _archive(tag).extractall(draft, filter="data")
        else:
            with zipfile.ZipFile(find_wheel()) as wheel:
                wheel.extractall(draft)  # noqa: S202 - of our own making
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    return folder


def find_tag() -> str | None:
    """The newest release before the present commit; None when git knows none."""
    try:
        done = _git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^")
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.decode().strip() or None


def find_wheel() -> Path:
    """The wheel of the release before."""
    (wheel,) = WHEELS.glob("rookery-*.whl")
    return wheel


def build_wheel(ref: str) -> Path:
    """Make the wheel of this commit or tag, in the place of the one that is there."""
    with tempfile.TemporaryDirectory() as name:
        source, made = Path(name, "source"), Path(name, "made")
        _archive(ref).extractall(source, filter="data")
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(made)]
        subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True)
        (wheel,) = made.glob("rookery-*.whl")
        for old in WHEELS.glob("rookery-*.whl"):
            old.unlink()
        return Path(shutil.copy(wheel, WHEELS))


def _archive(ref: str) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(_git("archive", "--format=tar", ref)))


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def _make_home() -> Path:
    _HOME.mkdir(parents=True, exist_ok=True)
    return _HOME


if __name__ == "__main__":
    print(build_wheel(sys.argv[1]).relative_to(ROOT))
