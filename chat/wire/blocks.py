"""How blocks are told between processes: a relay channel of its own. It may lose; the store has all blocks."""

from __future__ import annotations

import msgspec

from chat.domain.moderation import BlockChange

CHANNEL = "moderation:blocks"

encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[BlockChange] = msgspec.json.Decoder(BlockChange)


def decode_block_change(payload: bytes) -> BlockChange:
    """The change in a payload. Raises `msgspec.MsgspecError` when it is none."""
    return _decoder.decode(payload)
