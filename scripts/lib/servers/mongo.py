"""A server of MongoDB's protocol: SecantusDB, from PyPI, in an environment of its own. For development only.

`ROOKERY_TEST_MONGO_URL` points the tests at a real MongoDB instead; compose.yaml starts one.
"""

from __future__ import annotations

import struct
from pathlib import Path

from scripts.lib.servers.process import Process
from scripts.lib.servers.tools import answers, environment_with, ports

REQUIREMENT = "secantusdb==0.7.0b3"
_WHAT = "needs a MongoDB server (ROOKERY_TEST_MONGO_URL), or secantusdb in its place"


def process(folder: Path, tools: Path) -> Process:
    """A server whose acknowledged writes are on the disk."""
    program = environment_with(tools / "mongo", REQUIREMENT, "secantusd-py", _WHAT)
    port = ports(folder, 1)[0]
    data = folder / "data"
    return Process(
        folder=folder,
        command=[
            str(program.parent / "python"),
            str(program),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--storage-path",
            str(data),
            "--sync-on-commit",
        ],
        ready=lambda: answers(port, _ping(), b"ok\0"),
        prepare=lambda: data.mkdir(exist_ok=True),
    )


def url(folder: Path) -> str:
    """Where it is."""
    return f"mongodb://127.0.0.1:{ports(folder, 1)[0]}/"


def _ping() -> bytes:
    """`{ping: 1, $db: "admin"}` as an OP_MSG of MongoDB's wire protocol."""
    body = b"\x10ping\0" + struct.pack("<i", 1) + b"\x02$db\0" + struct.pack("<i", 6) + b"admin\0"
    document = struct.pack("<i", len(body) + 5) + body + b"\0"
    message = struct.pack("<i", 0) + b"\0" + document
    return struct.pack("<iiii", 16 + len(message), 1, 0, 2013) + message
