"""UUIDs as 16 bytes and back. Any other string stays as it is, so that nothing is ever changed by being stored."""

from __future__ import annotations

from functools import lru_cache

Packed = bytes | str
_CACHED = 8192


def pack(value: str) -> Packed:
    """16 bytes for a lower-case UUID with dashes, else the string itself."""
    if len(value) == 36 and value[8:24:5] == "----":
        digits = value.replace("-", "")
        try:
            raw = bytes.fromhex(digits)
        except ValueError:
            return value
        if raw.hex() == digits and len(raw) == 16:
            return raw
    return value


def unpack(value: Packed) -> str:
    """What was packed."""
    if isinstance(value, str):
        return value
    digits = value.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def pack_capitals(value: str) -> int:
    """Which characters are in upper case: the bit n is for the n-th."""
    return sum([1 << place for place, char in enumerate(value) if char.isupper()]) if value else 0


def unpack_capitals(value: str, capitals: int) -> str:
    """`value` with these characters in upper case; empty if there are none."""
    if not capitals:
        return ""
    return "".join(char.upper() if capitals >> place & 1 else char for place, char in enumerate(value))


pack_user = lru_cache(_CACHED)(pack)
"""`pack` for ids that come again and again."""

unpack_user = lru_cache(_CACHED)(unpack)
"""`unpack` for ids that come again and again."""
