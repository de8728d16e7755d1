"""Accounts and sessions in the page: errors by their fields, tokens that tabs share, the way out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Response, expect

from tests.support.browser import PASSWORD, VAULT, Window, unique
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]
OpenWindow = Callable[..., Window]


def test_errors_stand_by_their_fields(new_window: OpenWindow, server: ServerProcess, ann: Window) -> None:
    window = new_window(server)
    window.open()
    window.log_in("nobody-here", "wrong password")
    expect(window.page.locator(".form-error:visible")).not_to_be_empty()
    window.get("show-register").click()
    form = window.get("register-form")
    form.get_by_test_id("submit").click()
    expect(form.locator(".field-error").first).to_have_text("This is needed.")
    form.get_by_test_id("name").fill(ann.name)
    form.get_by_test_id("password").fill("short")
    form.get_by_test_id("submit").click()
    password = form.get_by_test_id("password")
    expect(password).to_have_attribute("aria-invalid", "true")
    expect(password).to_be_focused()
    password.fill(PASSWORD)
    form.get_by_test_id("submit").click()
    name = form.get_by_test_id("name")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(password).not_to_have_attribute("aria-invalid", "true")
    window.screenshot("sign-in")


def test_a_page_whose_scripts_do_not_come_offers_to_load_again(new_window: OpenWindow, server: ServerProcess) -> None:
    window = new_window(server)
    window.lenient = True
    window.page.route("**/assets/*.js", lambda route: route.abort())
    window.open()
    again = window.page.get_by_role("link", name="Load the page again")
    expect(again).to_be_visible()
    window.page.unroute("**/assets/*.js")
    again.click()
    expect(window.get("login-form")).to_be_visible()


def test_a_session_outlives_the_page_and_ends_in_all_tabs(ann: Window) -> None:
    ann.page.reload()
    expect(ann.get("me")).to_have_text(ann.name)
    tab = Window(ann.page.context.new_page(), ann.server)
    tab.open()
    expect(tab.get("me")).to_have_text(ann.name)
    ann.get("logout").click()
    for window in (ann, tab):
        expect(window.get("login-form")).to_be_visible()
    tab.log_in(ann.name)
    for window in (ann, tab):
        expect(window.get("me")).to_have_text(ann.name)
    tab.check()


@pytest.mark.parametrize("host", ["127.0.0.1", "insecure.test"])
def test_tabs_share_the_rotation_of_tokens(
    new_window: OpenWindow, new_server: Callable[..., ServerProcess], host: str
) -> None:
    """A refresh token that is used twice ends the session: two tabs that did not take turns would be signed out.

    Where the page is no secure context, there are no Web Locks.
    """
    server = new_server(token_seconds="3")
    window = new_window(server)
    window.host = host
    window.register("ann")
    assert window.page.evaluate("Boolean(navigator.locks)") is (host == "127.0.0.1")
    room = unique("tabs")
    window.new_room(room)
    tab = Window(window.page.context.new_page(), server)
    tab.host = host
    answers: list[int] = []

    def count(response: Response) -> None:
        if response.url.endswith("/api/auth/refresh"):
            answers.append(response.status)

    for one in (window, tab):
        one.page.on("response", count)
    tab.open()
    tab.enter(room)
    while len(answers) < 3:
        with window.page.context.expect_event("response", lambda response: response.url.endswith("/refresh")):
            pass
    assert set(answers) == {200}
    window.say("still here")
    expect(tab.message("still here")).to_be_visible()
    tab.say("so am I")
    expect(window.message("so am I")).to_be_visible()
    for one in (window, tab):
        expect(one.get("connection-status")).to_have_attribute("data-state", "online")
    tab.check()


def test_a_session_that_was_ended_elsewhere(ann: Window) -> None:
    ann.page.evaluate(
        """async () => {
          const { tokens, put } = await VAULT;
          const body = JSON.stringify({ refresh_token: tokens.refresh });
          await fetch("/api/auth/logout", { method: "POST", body, headers: { "Content-Type": "application/json" } });
          const { transaction } = put({ ...tokens, renew: 0 });
          await new Promise((resolve) => { transaction.oncomplete = resolve; });
        }""".replace("VAULT", VAULT)
    )
    ann.page.reload()
    expect(ann.get("login-form")).to_be_visible()
