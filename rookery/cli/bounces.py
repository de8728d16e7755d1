"""`rookery mail bounce`: reads a mail that came back, as a mail server hands it to a program.

Rule 1: what is no bounce of a mail of ours is passed over without an error: an error would go back as a mail, too.
Rule 2: while the store cannot be reached, the exit code is 75 (`EX_TEMPFAIL`): the mail server tries again.
"""

from __future__ import annotations

import argparse
import sys
from typing import BinaryIO

from chat.adapters.mail.bounces import read_bounce
from chat.assembly import Engines
from chat.domain.ids import now_ms
from chat.domain.mailing import Bounces
from chat.errors import Unavailable
from chat.ports.mailings import Mailings
from chat.settings import Settings

LARGEST = 10 * 1024 * 1024
TRY_AGAIN = 75


async def note_bounce(settings: Settings, _options: argparse.Namespace) -> int:
    """Note what standard input brings. The exit code: 0, or 75 to try again."""
    try:
        async with Engines.open(settings, guest=True) as engines:
            store = await engines.open_store()
            noted = await record_bounce(store.mailings, sys.stdin.buffer)
    except Unavailable as error:
        print(f"rookery: {error.message}", file=sys.stderr)
        return TRY_AGAIN  # rule 2
    if noted is None:
        print("this is no bounce of a mail of ours; nothing was noted", file=sys.stderr)  # rule 1
    else:
        print("noted" + "; the address is suppressed" * noted.is_suppressed, file=sys.stderr)
    return 0


async def record_bounce(mailings: Mailings, source: BinaryIO) -> Bounces | None:
    """What came back from the address until now; None when the source is no bounce of ours. Raises `Unavailable`."""
    returned = read_bounce(await mailings.get_secret(), source.read(LARGEST))
    if returned is None:
        return None
    return await mailings.add_bounce(returned.address, returned.mail, returned.failure, returned.reason, now_ms())
