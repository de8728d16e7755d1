"""Mails and the page: an address is verified, a lost password is replaced, by links that a mail server took."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from chat.adapters.mail.composing import Composer
from tests.chat.adapters.mail.test_composing import HEADERS, LETTER
from tests.support.browser import PASSWORD, Window, unique
from tests.support.mail_server import MailServer, Received
from tests.support.mailing import parse_message, read_part
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]
OpenWindow = Callable[..., Window]
NEW = "another horse battery"


@pytest.fixture(scope="module")
def mails() -> Iterator[MailServer]:
    """Takes every mail."""
    with MailServer().running() as server:
        yield server


@pytest.fixture(scope="module")
def server(mails: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that sends mails."""
    settings = {
        "smtp_url": f"smtp://127.0.0.1:{mails.port}",
        "mail_from": "Rookery <chat@chat.example>",
        "public_url": "https://chat.example/under",
    }
    with ServerProcess("test_mail", tmp_path_factory.mktemp("data"), register_per_minute="1000", **settings) as process:
        yield process
        process.check()


def read_link(mail: Received) -> str:
    """What the link in a mail has behind the address of the page."""
    found = re.search(r"https://chat\.example/under(/#\S+)", mail.text())
    assert found is not None, mail.text()
    assert found[1] in mail.text("html")
    return found[1]


def wait_for_mail(mails: MailServer, subject: str, recipient: str) -> Received:
    """The newest mail with this subject to this address."""
    while True:
        count = len(mails.received)
        for mail in reversed(mails.received):
            if mail.message["Subject"] == subject and mail.recipients == [recipient]:
                return mail
        mails.wait_for(count + 1)


def test_an_address_is_verified_and_brings_a_lost_password_back(
    new_window: OpenWindow, server: ServerProcess, mails: MailServer
) -> None:
    window = new_window(server)
    window.register("ann")
    address = f"{window.name}@mail.example"
    window.open("/#/settings/security")
    expect(window.get("email-state")).to_have_text("You have given no e-mail address.")
    window.get("change-email").click()
    form = window.get("email-form")
    form.get_by_test_id("email").fill(address)
    form.get_by_test_id("password").fill("not the password")
    form.get_by_test_id("submit").click()
    expect(form.get_by_text("The password is wrong")).to_be_visible()
    form.get_by_test_id("password").fill(PASSWORD)
    form.get_by_test_id("submit").click()
    expect(window.get("email-state")).to_contain_text("is not verified")
    window.screenshot("email")
    link = read_link(wait_for_mail(mails, "Verify your e-mail address", address))
    mails.received.clear()
    window.get("resend").click()
    expect(window.get("email-state")).to_contain_text("on its way")
    wait_for_mail(mails, "Verify your e-mail address", address)

    visitor = new_window(server, color_scheme="dark")
    visitor.open(link)
    visitor.get("verify").click()
    expect(visitor.page.get_by_text(f"{address} is verified.")).to_be_visible()
    visitor.screenshot("verified")
    assert "verify=" not in visitor.page.url
    visitor.get("leave").click()
    expect(visitor.get("login-form")).to_be_visible()

    visitor.get("forgot").click()
    visitor.get("forgot-name").fill(address)
    visitor.get("forgot-form").get_by_test_id("submit").click()
    expect(visitor.get("forgot-done")).to_be_visible()
    visitor.screenshot("forgot")
    visitor.open(read_link(wait_for_mail(mails, "Set a new password", address)))
    reset = visitor.get("reset-form")
    reset.get_by_test_id("new_password").fill("short")
    reset.get_by_test_id("submit").click()
    expect(reset.locator(".field-error")).not_to_be_empty()
    visitor.screenshot("reset")
    reset.get_by_test_id("new_password").fill(NEW)
    reset.get_by_test_id("submit").click()
    expect(visitor.page.locator(".auth-reason")).to_have_text("The password was changed. Log in with it.")
    expect(window.get("login-form")).to_be_visible()
    visitor.log_in(window.name, NEW)
    expect(visitor.get("me")).to_have_text(window.name)
    wait_for_mail(mails, "Your password was changed", address)
    wait_for_mail(mails, "A new log-in to your account", address)


def test_a_link_that_was_used_says_so_in_an_open_page(
    new_window: OpenWindow, server: ServerProcess, mails: MailServer
) -> None:
    window = new_window(server)
    window.open()
    window.get("show-register").click()
    name = unique("ben")
    window.get("register-form").get_by_test_id("email").fill(f"{name}@mail.example")
    window._fill("register-form", name, PASSWORD)
    expect(window.get("room-list")).to_be_attached()
    link = read_link(wait_for_mail(mails, "Verify your e-mail address", f"{name}@mail.example"))
    for text in ("is verified.", "was used"):
        window.page.evaluate("(hash) => { location.hash = hash; }", link.partition("#")[2])
        window.get("verify").click()
        expect(window.get("verify-page")).to_contain_text(text)
        window.get("leave").click()
        expect(window.get("room-list")).to_be_attached()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_mail_is_readable_in_light_and_dark(browser: Browser, scheme: Any) -> None:
    html = read_part(parse_message(Composer().compose_message(LETTER, HEADERS)), "html")
    context = browser.new_context(color_scheme=scheme, viewport={"width": 420, "height": 720})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(html)
    page.screenshot(path=f"output/browser/mail-{scheme}.png", full_page=True)
    contrast = page.evaluate(
        """() => [...document.querySelectorAll("h1, p, a")].map((element) => {
          const light = (color) => {
            const [r, g, b] = color.match(/[\\d.]+/g).map((value) => {
              const part = value / 255;
              return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          let ground = element;
          while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
          const pair = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor].map(light);
          return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
        })"""
    )
    assert min(contrast) >= 4.5, contrast
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert asked == []
    context.close()
