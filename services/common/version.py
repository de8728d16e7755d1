"""The version of the product, which its documents and its answers tell."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def product_version() -> str:
    """The version of the installed distribution; `0` when it runs from a source tree that is not installed."""
    try:
        return version("rookery")
    except PackageNotFoundError:
        return "0"
