"""The logo in SQLite."""

from __future__ import annotations

from chat.engines import logo_rows
from chat.engines.database import Database
from chat.ports.logos import Logo


class SqliteLogoStore:
    """`chat.ports.logos.LogoStore` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_digest(self) -> str:
        return await self._database.read(logo_rows.read_digest)

    async def get_logo(self, digest: str) -> Logo | None:
        return await self._database.read(lambda connection: logo_rows.read_logo(connection, digest))

    async def put_logo(self, logo: Logo) -> None:
        await self._database.write(lambda connection: logo_rows.write_logo(connection, logo))

    async def delete_logo(self) -> bool:
        return await self._database.write(logo_rows.drop_logo)
