"""What to install when a package is missing: the extras of the distribution, which `docs/dependencies.md` lists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from chat.settings.values import SettingsError

Extra = Literal["server", "production", "purerpc", "classifier", "tracing"]
_OURS = frozenset({"rookery", "gateway", "services", "workers", "chat", "proto", "web"})


class MissingExtra(SettingsError):
    """A package that comes with an extra is not installed; the message says what to install."""


@contextmanager
def require_extra(extra: Extra) -> Iterator[None]:
    """Around an import: raises `MissingExtra` when a package that comes with the extra is not installed.

    A module of our own that is missing is a defect, and its `ModuleNotFoundError` passes.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module in _OURS:
            raise
        raise MissingExtra(f"the module {module} is not installed: pip install 'rookery[{extra}]'") from None
