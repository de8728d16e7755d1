"""What checking every field of a client's command costs, against parsing it without any check."""

from __future__ import annotations

import json

import orjson

from chat.wire import commands
from perf.measure import Work, compare, pin, show

FRAME = json.dumps(
    {
        "type": "send",
        "id": 17,
        "room": "0b7f8b1e-6d38-4e2c-9f39-2d0f9f3f9a11",
        "text": "a text of about a line, as people write them",
        "client_id": "6f1d3c52-9b1d-4a53-8c7e-0f6c2f7f2b10",
    },
    separators=(",", ":"),
).encode()


WITH_COLONS = FRAME.replace(b"a text of about a line", b"a text: of about: a line")


def _each(parse: object, frame: bytes = FRAME) -> Work:
    assert callable(parse)

    def work(n: int) -> None:
        for _ in range(n):
            parse(frame)

    return work


def main() -> None:
    pin()
    rivals = {
        "orjson.loads, nothing checked": _each(orjson.loads),
        "chat.wire.commands.decode_command, all checked": _each(commands.decode_command),
        "the same, of a text with colons": _each(commands.decode_command, WITH_COLONS),
        "json.loads, nothing checked": _each(json.loads),
    }
    show(compare(rivals, n=100_000), baseline="orjson.loads, nothing checked")


if __name__ == "__main__":
    main()
