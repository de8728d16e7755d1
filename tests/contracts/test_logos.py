"""The contract of `chat.ports.logos.LogoStore`."""

from __future__ import annotations

import anyio
import pytest

from chat.domain.logo import LOGO_BYTES, digest_logo
from chat.ports.logos import Logo
from tests.support.engines import Stores

pytestmark = pytest.mark.anyio


def make_logo(content: bytes, media_type: str = "image/png") -> Logo:
    return Logo(digest_logo(content), media_type, content)


async def test_a_logo_is_found_by_its_digest_until_another_takes_its_place(stores: Stores) -> None:
    logos = stores.logos
    first, second = make_logo(bytes(range(256))), make_logo(bytes(LOGO_BYTES), "image/webp")
    assert await logos.get_digest() == ""
    assert await logos.get_logo(first.digest) is None
    assert await logos.get_logo("") is None
    for logo in (first, first, second):
        await logos.put_logo(logo)
        assert await logos.get_digest() == logo.digest
        assert await logos.get_logo(logo.digest) == logo
    assert await logos.get_logo(first.digest) is None


async def test_a_logo_that_was_taken_away_is_gone(stores: Stores) -> None:
    logos, logo = stores.logos, make_logo(b"picture")
    assert not await logos.delete_logo()
    await logos.put_logo(logo)
    assert await logos.delete_logo()
    assert not await logos.delete_logo()
    assert (await logos.get_digest(), await logos.get_logo(logo.digest)) == ("", None)
    await logos.put_logo(logo)
    assert await logos.get_logo(logo.digest) == logo


async def test_of_several_logos_at_once_one_whole_one_stays(stores: Stores) -> None:
    offered = [make_logo(bytes([number]) * 1000, f"image/{number}") for number in range(6)]
    async with anyio.create_task_group() as tasks:
        for logo in offered:
            tasks.start_soon(stores.logos.put_logo, logo)
    assert await stores.logos.get_logo(await stores.logos.get_digest()) in offered
