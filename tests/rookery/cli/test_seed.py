"""`rookery admin seed`: users, rooms and tokens in the store."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from chat.assembly import Engines
from chat.domain.cases import CaseAction
from chat.domain.models import Role
from chat.settings import SettingsError
from chat.tokens import KeyRing
from rookery.cli.operator import name_operator
from rookery.cli.seed import seed_store, write_lines
from tests.support.settings import make_settings

pytestmark = pytest.mark.anyio


def make_options(folder: Path, **given: object) -> argparse.Namespace:
    plain = {"users": 3, "rooms": 2, "members": 2, "prefix": "seed"}
    return argparse.Namespace(**{**plain, "tokens": folder / "tokens", "room_ids": folder / "rooms", **given})


async def test_users_are_in_rooms_and_have_tokens(tmp_path: Path) -> None:
    settings = make_settings(data=tmp_path / "data")
    for _ in range(2):  # users of before are used again
        assert await seed_store(settings, make_options(tmp_path)) == 0
    async with Engines.open(settings) as engines:
        store = await engines.open_store()
        keys = KeyRing(store.accounts, settings.tokens)
        await keys.refresh_keys()
        users = [keys.verify_token(token) for token in (tmp_path / "tokens").read_text().split()]
        assert [user.name for user in users] == ["seed-0", "seed-1", "seed-2"]
        rooms = (tmp_path / "rooms").read_text().split()
        roles = [[await store.rooms.get_role(room, user.user) for user in users] for room in rooms]
        seeded = (CaseAction.OPERATOR, name_operator(), "seeded 3 users with tokens for a day, and 2 rooms")
        entries = await store.cases.list_audit_entries(None, 10)
        assert [(entry.action, entry.by, entry.reason) for entry in entries] == [seeded] * 2
        assert roles == [[Role.OWNER, Role.MEMBER, None], [Role.MEMBER, None, Role.OWNER]]


async def test_what_was_created_is_told_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await seed_store(make_settings(data=tmp_path / "data"), make_options(tmp_path, json=True)) == 0
    files = {"tokens": str(tmp_path / "tokens"), "room_ids": str(tmp_path / "rooms")}
    assert json.loads(capsys.readouterr().out) == {"users": 3, "rooms": 2, "members": 2, **files}


@pytest.mark.parametrize("given", [{"users": 0}, {"rooms": -1}, {"members": 4}])
async def test_numbers_that_do_not_fit_are_refused(tmp_path: Path, given: dict[str, int]) -> None:
    with pytest.raises(SettingsError):
        await seed_store(make_settings(data=tmp_path), make_options(tmp_path, **given))


async def test_tokens_are_for_this_user_alone(tmp_path: Path) -> None:
    there = tmp_path / "tokens"
    there.write_text("of before")
    there.chmod(0o644)
    write_lines(there, ["secret"], secret=True)
    write_lines(tmp_path / "new", ["secret"], secret=True)
    assert [path.stat().st_mode & 0o777 for path in (there, tmp_path / "new")] == [0o600, 0o600]
    assert there.read_text() == "secret\n"
