"""Which pictures may be the logo of an instance."""

from __future__ import annotations

import pytest

from chat.domain.logo import LOGO_BYTES, check_logo, digest_logo, logo_address
from chat.domain.pictures import PictureHead, PictureType
from chat.errors import Invalid, TooLong
from tests.support.logos import make_jpeg, make_png, make_webp, png_chunk, png_head


@pytest.mark.parametrize(("width", "height"), [(64, 64), (1024, 1024), (256, 64), (64, 256), (1024, 256)])
def test_a_logo_has_64_to_1024_pixels_and_is_at_most_four_times_as_long_as_wide(width: int, height: int) -> None:
    assert check_logo(make_png(width, height), "image/png") == PictureHead(PictureType.PNG, width, height)


@pytest.mark.parametrize(
    ("width", "height", "says"),
    [
        (63, 64, "63 by 64 pixels; each side of a logo has 64 to 1024"),
        (64, 63, "64 to 1024"),
        (1025, 512, "64 to 1024"),
        (0, 0, "64 to 1024"),
        (2**31, 2**31, "64 to 1024"),
        (257, 64, "at most 4 times as long as wide"),
        (64, 257, "at most 4 times"),
    ],
)
def test_another_size_is_refused_with_what_it_is_and_what_it_may_be(width: int, height: int, says: str) -> None:
    picture = make_png(1, 1).replace(png_head(1, 1), png_head(width, height))
    with pytest.raises(Invalid, match=says) as refused:
        check_logo(picture, "image/png")
    assert refused.value.field == "logo"


def test_a_logo_is_of_the_type_that_its_sender_named() -> None:
    pictures = {"image/png": make_png(), "image/jpeg": make_jpeg(), "image/webp": make_webp()}
    for named in pictures:
        for kind, content in pictures.items():
            if kind == named:
                assert check_logo(content, named).media_type == kind
                continue
            with pytest.raises(Invalid, match=f"is {kind}, and not {named}"):
                check_logo(content, named)


def test_a_logo_has_a_greatest_size() -> None:
    rest = LOGO_BYTES - len(make_png(after=png_chunk(b"tEXt")))
    check_logo(make_png(after=png_chunk(b"tEXt", bytes(rest))), "image/png")
    with pytest.raises(TooLong) as refused:
        check_logo(make_png(after=png_chunk(b"tEXt", bytes(rest + 1))), "image/png")
    assert refused.value.field == "logo"


def test_what_is_no_picture_names_the_field() -> None:
    with pytest.raises(Invalid, match="SVG is not taken") as refused:
        check_logo(b"<svg/>", "image/png")
    assert (type(refused.value), refused.value.field) == (Invalid, "logo")


def test_another_picture_has_another_address() -> None:
    one, two = (logo_address(digest_logo(content)) for content in (b"1", b"2"))
    assert one == f"/api/instance/logo/{digest_logo(b'1')}"
    assert one != two
    assert logo_address("") is None
