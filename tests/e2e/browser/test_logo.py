"""The logo of the instance, from the owner's file to everybody's page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import FilePayload, Locator, expect

from tests.support.browser import PHONE, Window, sound
from tests.support.logos import make_png
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]
OpenWindow = Callable[..., Window]
SIZE = "image => image.complete && [image.naturalWidth, image.naturalHeight]"


def file_of(content: bytes, name: str = "logo.png", media_type: str = "image/png") -> FilePayload:
    return {"name": name, "mimeType": media_type, "buffer": content}


def choose(window: Window, file: FilePayload) -> None:
    with window.page.expect_file_chooser() as chooser:
        window.get("choose-logo").click()
    chooser.value.set_files(file)


def expect_picture(window: Window, logo: Locator, width: int, height: int) -> None:
    """It is loaded and drawn, and not only named."""
    expect(logo).to_be_visible()
    window.eventually(lambda: logo.evaluate(SIZE), [width, height])


def test_everybody_sees_the_logo_that_an_owner_chooses(
    new_window: OpenWindow, new_server: Callable[..., ServerProcess]
) -> None:
    server = new_server(first_account_owns="on")
    olga, phone = new_window(server), new_window(server, viewport=PHONE, color_scheme="dark")
    olga.register("olga")
    phone.register("pete")
    expect(phone.page.locator(".brand").get_by_test_id("logo")).to_have_count(0)
    olga.open("/#/settings/instance")
    choose(olga, file_of(make_png(9, 9)))
    expect(olga.get("logo-error")).to_have_text(
        "Each side of a logo has 64 to 1,024 pixels. Change the size of the picture."
    )
    choose(olga, file_of(make_png(256, 64)))
    expect_picture(olga, olga.get("logo-preview").get_by_test_id("logo"), 256, 64)
    expect_picture(olga, olga.page.locator(".brand").get_by_test_id("logo"), 256, 64)
    expect(olga.get("logo-error")).to_be_empty()
    sound(olga)
    expect_picture(phone, phone.page.locator(".brand").get_by_test_id("logo"), 256, 64)  # without a reload
    sound(phone)
    stranger = new_window(server)
    stranger.open()
    expect_picture(stranger, stranger.page.locator(".auth-card").get_by_test_id("logo"), 256, 64)
    sound(stranger)
    olga.get("remove-logo").click()
    olga.get("confirm").click()
    expect(olga.get("logo")).to_have_count(0)
    expect(olga.get("choose-logo")).to_have_text("Choose a file…")
    stranger.page.reload()
    expect(stranger.get("login-form")).to_be_visible()
    expect(stranger.get("logo")).to_have_count(0)
    expect(phone.get("room-list")).to_be_attached()
    expect(phone.get("logo")).to_have_count(0)


def test_a_logo_that_is_gone_is_a_letter_and_one_that_is_opened_runs_nothing(
    new_window: OpenWindow, new_server: Callable[..., ServerProcess]
) -> None:
    server = new_server(first_account_owns="on")
    olga = new_window(server)
    olga.register("olga")
    olga.open("/#/settings/instance")
    choose(olga, file_of(make_png()))
    logo = olga.page.locator(".brand").get_by_test_id("logo")
    expect_picture(olga, logo, 96, 64)
    address = logo.evaluate("image => image.src")
    answer = olga.page.request.get(address)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    olga.page.route(f"**{urlsplit(address).path}", lambda route: route.fulfill(status=404))
    olga.page.reload()
    expect(olga.page.locator(".brand").get_by_test_id("logo-letter")).to_have_text("R")
