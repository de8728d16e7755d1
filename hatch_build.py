"""Builds `gateway._sends`, the edge's sends in C, while the package is installed or a wheel is made.

Rule 1: it is optional. Without a C compiler or Python's headers, or where the build fails, the package is complete
without it: `gateway.sends` then sends socket by socket.
Rule 2: it uses the limited API, so what is built for one version of Python serves later ones.

`CC` names the compiler; by default it is `cc`.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "gateway/native/sends.c"
MODULE = "gateway/_sends.abi3.so"
_FLAGS = ("-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wno-missing-field-initializers")
_SECONDS = 120


def compile_module(root: Path, target: Path) -> str:
    """Compile the module to `target`, whole or not at all. What is wrong, in a line; empty when it was built."""
    if sys.platform != "linux" or sys.implementation.name != "cpython":
        return "it is built for CPython on Linux only"
    try:
        compiler = shlex.split(os.environ.get("CC") or "cc")
    except ValueError as error:
        return f"CC is no command: {error}"
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    headers = f"-I{sysconfig.get_path('include')}"
    command = [*compiler, *_FLAGS, headers, "-o", str(unfinished), str(root / SOURCE)]
    try:
        # What a compiler says may be in any encoding.
        subprocess.run(command, check=True, capture_output=True, errors="replace", timeout=_SECONDS)  # noqa: S603
        unfinished.replace(target)
    except OSError as error:
        return f"the compiler {compiler[0]} cannot be run: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"the compiler took longer than {_SECONDS} s"
    except subprocess.CalledProcessError as error:
        return next((line for line in error.stderr.splitlines() if "error" in line), "the compiler failed")
    finally:
        unfinished.unlink(missing_ok=True)
    return ""


class SendsBuildHook(BuildHookInterface[Any]):
    """Compiles into the source tree for an editable installation, and into the wheel otherwise."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the module, and say so in the wheel's tag."""
        root = Path(self.root)
        in_place = root / MODULE
        if version == "editable":
            in_place.unlink(missing_ok=True)  # one that was built from another source would be loaded
            self._say(compile_module(root, in_place))
            return
        self._folder = tempfile.TemporaryDirectory(prefix="rookery-sends-")
        built = Path(self._folder.name) / in_place.name
        problem = compile_module(root, built)
        self._say(problem)
        if not problem:
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["force_include"][str(built)] = MODULE
            build_data["pure_python"] = False
            build_data["tag"] = f"cp311-abi3-{platform}"

    def _say(self, problem: str) -> None:
        if problem:
            self.app.display_warning(f"the edge's sends in C are not built, and Python does the work: {problem}")
