"""Unmasking (RFC 6455, section 5.3): one exclusive-or of two big integers, not one for every byte.

The masking key K is repeated over the payload; over 6 bytes: K0 K1 K2 K3 K0 K1. Read as a little-endian
integer, that is K * (1 + 2^32), cut to 6 bytes. In general, the key repeated over a payload is the product of the key
and 1 + 2^32 + 2^64 + …, cut to the payload's length.

A *shape* holds what is the same for all payloads of one length: (length, that second factor, and as many one-bits as
the payload has, which cut the product). So `masked ^ key * factor & ones` unmasks: `*` binds first, then `&`, then `^`.
"""

from __future__ import annotations

Shape = tuple[int, int, int]

SHAPED = 512
"""Payloads below this length (bytes) have a shape; for longer ones the arithmetic is what takes the time."""


def _make_shape(length: int) -> Shape:
    words = (length + 3) // 4
    return length, sum(1 << 32 * word for word in range(words)), (1 << 8 * length) - 1


SHORT: dict[int, Shape] = {0x80 | length: _make_shape(length) for length in range(126)}
"""Shapes by the second byte of a frame: the mask bit and a 7-bit length."""

MEDIUM: dict[int, Shape] = {
    int.from_bytes(length.to_bytes(2, "big"), "little"): _make_shape(length) for length in range(126, SHAPED)
}
"""Shapes by a 16-bit length whose bytes are swapped, as the parser reads it. A length below 126 is not here: it must
not have 16 bits (section 5.2). One of SHAPED or more is not here either; `unmask_payload` is as fast for those."""


def unmask_payload(payload: bytes, key: bytes) -> bytes:
    """`payload`, each byte exclusive-ored with the byte of the 4-byte `key` that falls on it. Also masks."""
    length = len(payload)
    repeated = (key * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")).to_bytes(length, "little")
