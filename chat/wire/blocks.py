"""Announces to other processes that a user was blocked or unblocked, on a relay channel of its own.

An announcement may be lost. The store has all blocks.
"""

from __future__ import annotations

import msgspec

from chat.domain.moderation import BlockChange

CHANNEL = "moderation:blocks"

encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[BlockChange] = msgspec.json.Decoder(BlockChange)


def decode_block_change(payload: bytes) -> BlockChange:
    """The change in a payload. Raises `msgspec.MsgspecError` if the payload is something else."""
    return _decoder.decode(payload)
