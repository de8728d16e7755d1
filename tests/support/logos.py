"""Pictures for tests, made by hand. A PNG can be drawn; a JPEG and a WebP have no pixels that can be decoded."""

from __future__ import annotations

import struct
import zlib

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
COLOUR = (11, 106, 91)


def png_chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_head(width: int, height: int, kinds: bytes = bytes([8, 2, 0, 0, 0])) -> bytes:
    """`kinds`: bits of a sample, colour type, compression, filter, interlace."""
    return png_chunk(b"IHDR", struct.pack(">II", width, height) + kinds)


def make_png(
    width: int = 96, height: int = 64, colour: tuple[int, int, int] = COLOUR, *, before: bytes = b"", after: bytes = b""
) -> bytes:
    """A PNG of one colour, with other chunks before and after its pixels."""
    pixels = zlib.compress((b"\0" + bytes(colour) * width) * height)
    return PNG_HEAD + png_head(width, height) + before + png_chunk(b"IDAT", pixels) + after + png_chunk(b"IEND")


def jpeg_segment(marker: int, data: bytes = b"") -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg_frame(width: int, height: int, components: int = 3, marker: int = 0xC0) -> bytes:
    return jpeg_segment(marker, struct.pack(">BHHB", 8, height, width, components) + b"\1\x11\0" * components)


JPEG_SCAN = jpeg_segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\xff\x00\x34\xff\xd0\x56"


def make_jpeg(width: int = 96, height: int = 64, components: int = 3, *, frame: bytes = b"") -> bytes:
    """A JPEG of two scans, with an application's segment."""
    head = frame or jpeg_frame(width, height, components)
    return b"\xff\xd8" + jpeg_segment(0xE0, b"JFIF\0") + head + JPEG_SCAN + b"\xff" + JPEG_SCAN + b"\xff\xd9"


def webp_chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def webp_lossy(width: int = 96, height: int = 64, start: bytes = b"\x10\0\0\x9d\x01\x2a") -> bytes:
    return webp_chunk(b"VP8 ", start + struct.pack("<HH", width | 0x4000, height) + b"\0\0\0")


def webp_lossless(width: int = 96, height: int = 64, version: int = 0) -> bytes:
    return webp_chunk(b"VP8L", b"\x2f" + struct.pack("<I", width - 1 | (height - 1) << 14 | 1 << 28 | version << 29))


def webp_extended(width: int = 96, height: int = 64, flags: int = 0x10) -> bytes:
    sides = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return webp_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sides)


def make_webp(*chunks: bytes) -> bytes:
    """A WebP of these chunks; of none, a lossy one."""
    content = b"WEBP" + b"".join(chunks or (webp_lossy(),))
    return b"RIFF" + struct.pack("<I", len(content)) + content
