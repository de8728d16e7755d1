"""The logo of an instance: which pictures may be one, and where it is found."""

from __future__ import annotations

import hashlib

from chat.domain.pictures import BadPicture, PictureHead, read_picture
from chat.errors import Invalid, TooLong

LOGO_BYTES = 256 * 1024
LEAST_SIDE = 64
LONGEST_SIDE = 1024
WIDEST = 4
"""How often the shorter side may go into the longer one."""
FIELD = "logo"


def check_logo(content: bytes, media_type: str) -> PictureHead:
    """What the picture is. Raises `TooLong` or `Invalid` with the field `logo` if it cannot be a logo, or is not of the
    type that its sender named."""
    if len(content) > LOGO_BYTES:
        raise TooLong(f"a logo has at most {LOGO_BYTES} bytes; make the picture smaller", field=FIELD)
    try:
        head = read_picture(content)
    except BadPicture as error:
        raise Invalid(error.message, field=FIELD) from None
    if head.media_type != media_type:
        raise Invalid(f"the file is {head.media_type}, and not {media_type}; send its own type", field=FIELD)
    shorter, longer = sorted((head.width, head.height))
    if shorter < LEAST_SIDE or longer > LONGEST_SIDE:
        raise Invalid(
            f"the picture is {head.width} by {head.height} pixels; each side of a logo has {LEAST_SIDE} to "
            f"{LONGEST_SIDE}",
            field=FIELD,
        )
    if longer > WIDEST * shorter:
        raise Invalid(
            f"the picture is {head.width} by {head.height} pixels; a logo is at most {WIDEST} times as long as wide",
            field=FIELD,
        )
    return head


def digest_logo(content: bytes) -> str:
    """What names this logo in its address: another picture has another address, so browsers may keep each for ever."""
    return hashlib.sha256(content).hexdigest()


def logo_address(digest: str) -> str | None:
    """The path of the logo with this digest; None without one."""
    return f"/api/instance/logo/{digest}" if digest else None
