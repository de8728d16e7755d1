"""Fuzz the frame parser: `python tests/fuzz/frames.py --seconds 60`.

The stated invariant: whatever the bytes and however they are split, the parser gives events or raises
`ProtocolError`, never another exception; the split changes nothing; and wsproto says the same (see `agree`).
A failure prints the seed, which repeats it, and the bytes.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gateway.websocket.frames import deflate_payload
from tests.support.websocket_frames import agree, chunks, client_frame, read, reference

LIMIT = 4096
ALPHABETS = ("abc {}", "aé€🐦")


class Broken(AssertionError):
    """The invariant does not hold for these bytes."""


def _payload(rng: random.Random) -> bytes:
    length = rng.choice((0, 1, 5, 60, 125, 126, 200, 520)) + rng.randrange(4)
    if rng.random() < 0.2:
        return rng.randbytes(length)
    return "".join(rng.choices(rng.choice(ALPHABETS), k=length)).encode()[:length]


def _control(rng: random.Random) -> bytes:
    opcode = rng.choice((8, 9, 9, 10, 10))
    payload = _payload(rng)[:125]
    if opcode == 8:
        code = rng.choice((1000, 1001, 1005, 1014, 4000))
        payload = rng.choice((b"", code.to_bytes(2, "big") + (b"" if code == 1014 else payload[:123])))
    return client_frame(opcode, payload, key=rng.randbytes(4))


def _message(rng: random.Random, *, compressed: bool) -> bytes:
    payload = deflate_payload(_payload(rng)) if compressed else _payload(rng)
    count = rng.choice((1, 1, 1, 2, 5))
    cuts = sorted(rng.randrange(len(payload) + 1) for _ in range(count - 1))
    parts = [payload[i:j] for i, j in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    frames = []
    for i, part in enumerate(parts):
        first = i == 0
        opcode = rng.choice((1, 1, 1, 2)) if first else 0
        rsv = 4 if first and compressed else 0
        frames.append(client_frame(opcode, part, fin=i == count - 1, rsv=rsv, key=rng.randbytes(4)))
        if not compressed and rng.random() < 0.1:
            frames.append(_control(rng))
    return b"".join(frames)


def _mutate(rng: random.Random, data: bytes) -> bytes:
    mutated = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        if mutated:
            place = rng.randrange(len(mutated))
            change: Callable[[], object] = rng.choice((
                lambda at=place: mutated.__setitem__(at, rng.randrange(256)),
                lambda at=place: mutated.__setitem__(at, mutated[at] ^ 1 << rng.randrange(8)),
                lambda at=place: mutated.__delitem__(slice(at, at + rng.randrange(1, 9))),
                lambda at=place: mutated.insert(at, rng.randrange(256)),
            ))  # fmt: skip
            change()
    return bytes(mutated)


def check(rng: random.Random) -> None:
    """One round: make a stream, read it in three ways, compare. Raises `Broken`."""
    with_deflate = rng.random() < 0.3
    data = b"".join(
        _message(rng, compressed=with_deflate and rng.random() < 0.7) if rng.random() < 0.8 else _control(rng)
        for _ in range(rng.randrange(6))
    )
    mutated = rng.random() < 0.6
    if mutated:
        data = _mutate(rng, data) if rng.random() < 0.9 else rng.randbytes(rng.randrange(100))
    sizes = [rng.choice((1, 2, 7, 50, 1000)) for _ in range(5)]
    ways = [[data], chunks(data, sizes), chunks(data, [1])]
    try:
        outcomes = [read(way, max_message=LIMIT, deflate=with_deflate) for way in ways]
    except Exception as error:
        raise Broken(f"{error!r} for {data.hex()}, deflate={with_deflate}") from error
    if outcomes[1:] != outcomes[:1] * 2:
        raise Broken(f"the split {sizes} changes the events of {data.hex()}, deflate={with_deflate}")
    # A mutation may put a control frame within a compressed message, which wsproto gets wrong.
    if not (with_deflate and mutated):
        theirs = reference([data], deflate=with_deflate)
        if not agree(outcomes[0], theirs, whole=not mutated, deflate=with_deflate):
            raise Broken(f"{outcomes[0]}, but wsproto says {theirs} for {data.hex()}, deflate={with_deflate}")


def run(seed: int, rounds: int, check: Callable[[random.Random], None] = check) -> None:
    """As many rounds as given, the same ones for a seed. Raises `Broken`, which names the round's own seed."""
    for number in range(seed, seed + rounds):
        try:
            check(random.Random(number))
        except Broken as error:
            raise Broken(f"seed {number}: {error}") from error


def main() -> None:
    """Run until the time is over."""
    parser = argparse.ArgumentParser(description="Fuzz the WebSocket frame parser.")
    parser.add_argument("--seconds", type=float, default=10, help="how long (default: 10)")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9 * 1000, help="where to start")
    arguments = parser.parse_args()
    until = time.monotonic() + arguments.seconds
    seed = arguments.seed
    while time.monotonic() < until:
        run(seed, 100)
        seed += 100
    print(f"{seed - arguments.seed} rounds from seed {arguments.seed}: the invariant held")


if __name__ == "__main__":
    main()
