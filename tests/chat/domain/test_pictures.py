"""What a picture is, read from its bytes alone."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat.domain.pictures import BadPicture, PictureHead, PictureType, read_picture
from tests.support.logos import (
    JPEG_SCAN,
    PNG_HEAD,
    jpeg_frame,
    jpeg_segment,
    make_jpeg,
    make_png,
    make_webp,
    png_chunk,
    png_head,
    webp_chunk,
    webp_extended,
    webp_lossless,
    webp_lossy,
)

PIXELS, END = png_chunk(b"IDAT", b"x"), png_chunk(b"IEND")
GOOD = {
    "png": make_png(300, 70, before=png_chunk(b"tEXt", b"a\0b"), after=png_chunk(b"tIME", bytes(7))),
    "png-grey": PNG_HEAD + png_head(300, 70, bytes([16, 0, 0, 0, 1])) + PIXELS + PIXELS + END,
    "png-palette": PNG_HEAD + png_head(300, 70, bytes([4, 3, 0, 0, 0])) + png_chunk(b"PLTE", bytes(3)) + PIXELS + END,
    "jpeg": make_jpeg(300, 70),
    "jpeg-grey": make_jpeg(300, 70, 1),
    "jpeg-progressive": make_jpeg(frame=jpeg_frame(300, 70, 3, 0xC2)),
    "webp": make_webp(webp_lossy(300, 70)),
    "webp-lossless": make_webp(webp_lossless(300, 70)),
    "webp-extended": make_webp(webp_extended(300, 70), webp_chunk(b"ALPH", b"\0"), webp_lossy(300, 70)),
    "webp-profile": make_webp(webp_extended(300, 70), webp_lossless(300, 70), webp_chunk(b"EXIF", b"odd")),
}


@pytest.mark.parametrize("name", GOOD)
def test_the_type_and_the_size_are_read_from_the_bytes(name: str) -> None:
    kind = PictureType(f"image/{name.partition('-')[0]}")
    assert read_picture(GOOD[name]) == PictureHead(kind, 300, 70)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_cut_off_or_goes_on_behind_its_end_is_refused(name: str) -> None:
    for wrong in (GOOD[name] + b"\0", GOOD[name] + b"<script>", GOOD[name] * 2):
        with pytest.raises(BadPicture, match="damaged"):
            read_picture(wrong)
    for length in range(len(GOOD[name])):
        with pytest.raises(BadPicture):
            read_picture(GOOD[name][:length])


@pytest.mark.parametrize(
    "wrong",
    [
        make_png(before=png_chunk(b"acTL", bytes(8))),
        make_png(after=png_chunk(b"fcTL", bytes(26))),
        make_png(after=png_chunk(b"fdAT", bytes(8))),
        make_webp(webp_extended(flags=2), webp_lossy()),
        make_webp(webp_extended(), webp_chunk(b"ANIM", bytes(6)), webp_lossy()),
        make_webp(webp_extended(flags=2), webp_chunk(b"ANIM", bytes(6)), webp_chunk(b"ANMF", bytes(24))),
    ],
)
def test_pictures_that_move_are_refused(wrong: bytes) -> None:
    with pytest.raises(BadPicture, match="moves"):
        read_picture(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        PNG_HEAD + PIXELS + END,
        PNG_HEAD + PIXELS + png_head(9, 9) + END,
        PNG_HEAD + png_head(9, 9) + END,
        PNG_HEAD + png_head(9, 9) + png_head(9, 9) + PIXELS + END,
        PNG_HEAD + png_head(9, 9) + PIXELS + png_chunk(b"IEND", b"x"),
        PNG_HEAD + png_head(9, 9) + PIXELS + png_chunk(b"a b!") + END,
        PNG_HEAD + png_head(9, 9, bytes([8, 2, 0, 0])) + PIXELS + END,
        PNG_HEAD + png_head(9, 9, bytes([4, 2, 0, 0, 0])) + PIXELS + END,
        PNG_HEAD + png_head(9, 9, bytes([8, 5, 0, 0, 0])) + PIXELS + END,
        PNG_HEAD + png_head(9, 9, bytes([8, 2, 1, 0, 0])) + PIXELS + END,
        PNG_HEAD + png_head(9, 9, bytes([8, 2, 0, 0, 2])) + PIXELS + END,
        make_png().replace(b"IDAT", b"IDAt"),
        PNG_HEAD + png_head(9, 9) + struct.pack(">I", 2**31) + b"IDAT" + END,
        b"\xff\xd8" + JPEG_SCAN + jpeg_frame(9, 9) + b"\xff\xd9",
        b"\xff\xd8" + jpeg_frame(9, 9) + b"\xff\xd9",
        b"\xff\xd8" + JPEG_SCAN + b"\xff\xd9",
        make_jpeg(frame=jpeg_frame(9, 9) + jpeg_frame(9, 9)),
        make_jpeg(frame=jpeg_frame(9, 9, 2)),
        make_jpeg(frame=jpeg_segment(0xC0, b"\x0c" + jpeg_frame(9, 9)[5:])),
        make_jpeg(frame=jpeg_frame(9, 9) + b"\xff\xe1\0\1"),
        make_jpeg(frame=jpeg_frame(9, 9) + b"\xff\xe1\xff\xff"),
        make_jpeg(frame=jpeg_frame(9, 9) + b"\xff\x01\0\2"),
        make_webp(webp_lossy(), webp_lossy()),
        make_webp(webp_lossy(), webp_chunk(b"EXIF", b"")),
        make_webp(webp_chunk(b"EXIF", b"")),
        make_webp(webp_extended(), webp_chunk(b"ALPH", b"")),
        make_webp(webp_extended(), webp_extended(), webp_lossy()),
        make_webp(webp_extended(9, 9), webp_lossy(9, 8)),
        make_webp(webp_chunk(b"VP8X", bytes(9)), webp_lossy(1, 1)),
        make_webp(webp_lossy(start=b"\x11\0\0\x9d\x01\x2a")),
        make_webp(webp_lossy(start=b"\x10\0\0\x9d\x01\x2b")),
        make_webp(webp_lossless(version=1)),
        make_webp(webp_chunk(b"VP8L", b"\x2e\0\0\0\0")),
        make_webp(webp_chunk(b"VP8L", b"\x2f")),
        make_webp(webp_chunk(b"VP8 ", b"")),
        b"RIFF\4\0\0\0WEBP",
        b"RIFF" + struct.pack("<I", 2**32 - 1) + make_webp()[8:],
        b"RIFF" + struct.pack("<I", 4 + 8) + b"WEBPVP8 " + struct.pack("<I", 2**32 - 1),
    ],
)
def test_what_breaks_its_format_is_refused(wrong: bytes) -> None:
    with pytest.raises(BadPicture, match="damaged"):
        read_picture(wrong)


def test_a_coding_that_browsers_do_not_draw_is_named() -> None:
    with pytest.raises(BadPicture, match="usual JPEG"):
        read_picture(make_jpeg(frame=jpeg_frame(9, 9, 3, 0xC9)))


@pytest.mark.parametrize("wrong", [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"RIFF\0\0\0\0WAVE"])
def test_other_kinds_of_files_are_refused_with_what_to_send(wrong: bytes) -> None:
    with pytest.raises(BadPicture, match=r"PNG, JPEG and WebP.*SVG is not taken"):
        read_picture(wrong)


@given(st.sampled_from(sorted(GOOD.values())), st.integers(0, 400), st.binary(max_size=8))
@example(b"\xff\xd8\xff", 3, b"\xff" * 8)
def test_any_bytes_are_a_picture_or_a_bad_one(good: bytes, at: int, other: bytes) -> None:
    changed = good[:at] + other + good[at + len(other) :]
    try:
        head = read_picture(changed)
    except BadPicture:
        return
    assert head.width >= 0
