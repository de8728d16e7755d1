"""The picture that stands for the instance."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class Logo(Struct, frozen=True):
    """`digest` is that of the content."""

    digest: str
    media_type: str
    content: bytes


class LogoStore(Protocol):
    """Holds one logo, or none. All writes are durable when they return, and take effect as a whole."""

    async def get_digest(self) -> str:
        """The digest of the logo; empty without one. The content is not read."""
        ...

    async def get_logo(self, digest: str) -> Logo | None:
        """The logo, if it has this digest."""
        ...

    async def put_logo(self, logo: Logo) -> None:
        """Replace the logo, if there is one. Of several who do it at once, the last one's stays."""
        ...

    async def delete_logo(self) -> bool:
        """Whether there was one."""
        ...
