"""What a picture is: its type and size, read from its bytes alone. PNG, JPEG and WebP.

Rule 1: the whole file is walked, from its first byte to its last. What is cut off, says a wrong length, or has bytes
  behind its end is refused, so no other kind of file hides in a picture.
Rule 2: one still picture. PNGs and WebPs that move are refused.
Rule 3: the pixels are not decoded: that is left to browsers, which do it apart from all else.

Sources: the PNG specification (third edition), sections 5 and 11; ITU-T T.81, annex B; RFC 9649 (WebP), section 2, with
RFC 6386, section 9.1, and the WebP lossless bitstream, section 3.
"""

from __future__ import annotations

import re
import zlib
from enum import StrEnum

from msgspec import Struct

from chat.errors import Invalid


class PictureType(StrEnum):
    """A media type."""

    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"


class PictureHead(Struct, frozen=True):
    """Width and height in pixels."""

    media_type: PictureType
    width: int
    height: int


class BadPicture(Invalid):
    """The bytes are no picture of these kinds. The message says why, without naming a field."""


_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
"""Of a PNG: colour type → bits of a sample (section 11.2.1)."""
_MOVING_PNG = {b"acTL", b"fcTL", b"fdAT"}
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
"""What ends the coded pixels of a JPEG: neither a byte FF among them nor a restart."""
_FRAMES = {0xC0, 0xC1, 0xC2}
"""Baseline, extended and progressive. Browsers draw no other coding."""
_OTHER_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_MOVING_WEBP = {b"ANIM", b"ANMF"}
_DAMAGED = "the picture is damaged or cut off; save it again in a program for pictures, and send that file"
_MOVING = "the picture moves; send one that stands still"


def read_picture(content: bytes) -> PictureHead:
    """The type and the size of a picture. Raises `BadPicture`, and nothing else, whatever the bytes are."""
    if content.startswith(_PNG):
        return _read_png(content)
    if content.startswith(_JPEG):
        return _read_jpeg(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _read_webp(content)
    raise BadPicture(
        "the file is none of PNG, JPEG and WebP; send one of these. SVG is not taken, because scripts can be in it"
    )


def _read_png(content: bytes) -> PictureHead:
    view = memoryview(content)
    head: PictureHead | None = None
    at, has_pixels = len(_PNG), False
    while at + 12 <= len(content):
        length = _big(content, at, 4)
        name, data = content[at + 4 : at + 8], view[at + 8 : at + 8 + length]
        end = at + 12 + length
        if end > len(content) or not name.isalpha() or zlib.crc32(view[at + 4 : end - 4]) != _big(content, end - 4, 4):
            break
        if name in _MOVING_PNG:
            raise BadPicture(_MOVING)  # rule 2
        if (head is None) != (name == b"IHDR"):
            break  # it stands first, and once
        if head is None:
            head = _read_png_head(bytes(data))
        has_pixels = has_pixels or name == b"IDAT"
        if name == b"IEND":
            if length or end != len(content) or not has_pixels:
                break  # rule 1
            return head
        at = end
    raise BadPicture(_DAMAGED)


def _read_png_head(data: bytes) -> PictureHead:
    if len(data) != 13:
        raise BadPicture(_DAMAGED)
    depth, colour, compression, filtering, interlace = data[8:]
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise BadPicture(_DAMAGED)
    return PictureHead(PictureType.PNG, _big(data, 0, 4), _big(data, 4, 4))


def _read_jpeg(content: bytes) -> PictureHead:
    head: PictureHead | None = None
    at, has_pixels = 2, False
    while content[at : at + 1] == b"\xff":
        while content[at + 1 : at + 2] == b"\xff":
            at += 1  # any number of them fills up (B.1.1.2)
        marker = _big(content, at + 1, 1)
        if marker == 0xD9:
            if head is None or not has_pixels or at + 2 != len(content):
                break  # rule 1
            return head
        end = at + 2 + _big(content, at + 2, 2)
        if marker < 0xC0 or 0xD0 <= marker <= 0xD8 or end < at + 4 or end > len(content):
            break  # neither a segment nor its length
        if marker in _OTHER_FRAMES:
            raise BadPicture("the JPEG is coded in a way that browsers do not show; save it as a usual JPEG or a PNG")
        if marker in _FRAMES:
            if head is not None:
                break
            head = _read_jpeg_head(content[at + 4 : end])
        if marker == 0xDA:
            found = _MARKER.search(content, end)
            if head is None or found is None:
                break
            has_pixels, end = True, found.start()
        at = end
    raise BadPicture(_DAMAGED)


def _read_jpeg_head(data: bytes) -> PictureHead:
    """Of a frame (B.2.2). A height of 0 would stand behind the pixels, which browsers do not read."""
    if len(data) < 6 or data[0] != 8 or data[5] not in (1, 3, 4) or len(data) != 6 + 3 * data[5]:
        raise BadPicture(_DAMAGED)
    return PictureHead(PictureType.JPEG, _big(data, 3, 2), _big(data, 1, 2))


def _read_webp(content: bytes) -> PictureHead:
    if _little(content, 4, 4) != len(content) - 8:
        raise BadPicture(_DAMAGED)  # rule 1
    chunks = _list_webp_chunks(content)
    names = [name for name, _ in chunks]
    if _MOVING_WEBP & set(names):
        raise BadPicture(_MOVING)  # rule 2
    pixels = [(name, data) for name, data in chunks if name in (b"VP8 ", b"VP8L")]
    if len(pixels) != 1:
        raise BadPicture(_DAMAGED)
    name, data = pixels[0]
    size = _read_lossy(data) if name == b"VP8 " else _read_lossless(data)
    if names[0] == b"VP8X":
        extended = chunks[0][1]
        if len(extended) != 10 or names.count(b"VP8X") != 1:
            raise BadPicture(_DAMAGED)
        if extended[0] & 2:
            raise BadPicture(_MOVING)
        if size != (1 + _little(extended, 4, 3), 1 + _little(extended, 7, 3)):
            raise BadPicture(_DAMAGED)
    elif len(chunks) != 1:
        raise BadPicture(_DAMAGED)  # only the extended format has more than the pixels
    return PictureHead(PictureType.WEBP, *size)


def _list_webp_chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Names and contents, of which each begins at an even place."""
    chunks: list[tuple[bytes, bytes]] = []
    at = 12
    while at < len(content):
        length = _little(content, at + 4, 4)
        end = at + 8 + length + length % 2
        if at + 8 > len(content) or end > len(content):
            raise BadPicture(_DAMAGED)
        chunks.append((content[at : at + 4], content[at + 8 : at + 8 + length]))
        at = end
    return chunks or [(b"", b"")]


def _read_lossy(data: bytes) -> tuple[int, int]:
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        raise BadPicture(_DAMAGED)  # not the key frame that begins a picture
    return _little(data, 6, 2) & 0x3FFF, _little(data, 8, 2) & 0x3FFF


def _read_lossless(data: bytes) -> tuple[int, int]:
    if len(data) < 5 or data[0] != 0x2F or data[4] >> 5:
        raise BadPicture(_DAMAGED)  # another signature or version
    bits = _little(data, 1, 4)
    return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)


def _big(content: bytes, at: int, count: int) -> int:
    """A number of so many bytes; of fewer, where the content ends: the callers compare lengths."""
    return int.from_bytes(content[at : at + count], "big")


def _little(content: bytes, at: int, count: int) -> int:
    return int.from_bytes(content[at : at + count], "little")
