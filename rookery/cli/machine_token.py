"""The token that the roles of one machine share when their operator set none.

Roles in processes of their own call each other over gRPC, on loopback unless told otherwise. Any local process can
connect there, so calls need a secret. The first role that starts makes one, in a file that only its own user may read.
Roles of other users, in other containers or on other machines do not find it: they need ROOKERY_RPC_TOKEN or TLS.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from chat.settings import RpcSettings, SettingsError


def add_machine_token(rpc: RpcSettings, environ: Mapping[str, str]) -> RpcSettings:
    """The settings with the machine's token, if they name calls between roles and say nothing of who may call."""
    if not rpc.names_calls or rpc.has_credentials:
        return rpc
    return msgspec.structs.replace(rpc, token=read_machine_token(find_token_path(environ)))


def find_token_path(environ: Mapping[str, str]) -> Path:
    """Where the token stands: among the user's state (XDG Base Directory Specification)."""
    state = environ.get("XDG_STATE_HOME", "")
    try:
        return (Path(state) if state.startswith("/") else Path.home() / ".local/state") / "rookery/rpc-token"
    except RuntimeError:
        raise SettingsError(
            "ROOKERY_RPC_TOKEN: give all roles the same token; this user has no home directory where one could be made"
        ) from None


def read_machine_token(path: Path) -> str:
    """The token in the file, which is made if it is missing: of several roles that start at once, one makes it.

    Raises `SettingsError` if that cannot be, or if other users can read the file.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make_token(path)
        with path.open() as file:
            status = os.fstat(file.fileno())
            token = file.read().strip()
    except OSError as error:
        raise SettingsError(
            f"ROOKERY_RPC_TOKEN: give all roles the same token; none can be made in {path}: {error.strerror}"
        ) from None
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise SettingsError(f"{path}: other users can read the token of the roles; remove the file, and start again")
    if not token:
        raise SettingsError(f"{path}: the token of the roles is empty; remove the file, and start again")
    return token


def _make_token(path: Path) -> None:
    handle, made = tempfile.mkstemp(dir=path.parent)  # which only this user may read
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another role was faster: its token holds
            os.link(made, path)
    finally:
        Path(made).unlink()
