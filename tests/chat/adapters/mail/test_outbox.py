"""The folder in the place of a mail server."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest

from chat.adapters.mail.outbox import MailFolder
from chat.errors import Unavailable
from chat.ports.mail import OutgoingMail
from tests.support.clocks import ManualClock
from tests.support.engines import executor

pytestmark = pytest.mark.anyio


def make_mail(number: int) -> OutgoingMail:
    return OutgoingMail(sender="a@chat.example", recipient="b@chat.example", message=f"Subject: {number}\r\n".encode())


def read_numbers(folder: Path) -> list[bytes]:
    """Of the mails, in the order of their names."""
    return [file.read_bytes()[9:10] for file in sorted(folder.iterdir())]


async def test_a_mail_is_a_file_for_its_owner_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    outbox = MailFolder(tmp_path / "data" / "outbox", files=3, executor=executor(), clock=ManualClock())
    with caplog.at_level(logging.WARNING):
        for number in range(2):
            await outbox.send_mail(make_mail(number))
    files = list((tmp_path / "data" / "outbox").iterdir())
    assert sorted(read_numbers(tmp_path / "data" / "outbox")) == [b"0", b"1"]
    assert {file.suffix for file in files} == {".eml"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "data" / "outbox").stat().st_mode) == 0o700
    assert len(caplog.records) == 1
    await outbox.close()


async def test_of_more_mails_the_oldest_goes(tmp_path: Path) -> None:
    clock = ManualClock()
    outbox = MailFolder(tmp_path, files=3, executor=executor(), clock=clock)
    for number in range(5):
        clock.now += 1
        await outbox.send_mail(make_mail(number))
    assert read_numbers(tmp_path) == [b"2", b"3", b"4"]


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outbox = MailFolder(tmp_path / "file" / "outbox", files=3, executor=executor())
    with pytest.raises(Unavailable):
        await outbox.send_mail(make_mail(1))
