"""One's own account in the page: another password, log-ins elsewhere, and its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.browser import PASSWORD, Window
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]
OpenWindow = Callable[..., Window]
NEW = "another horse battery"


def test_a_new_password_ends_the_other_log_ins(ann: Window, new_window: OpenWindow, server: ServerProcess) -> None:
    other = new_window(server)
    other.open()
    other.log_in(ann.name)
    expect(other.get("me")).to_have_text(ann.name)
    ann.get("settings").click()
    ann.get("settings-security").click()
    expect(ann.get("log-in")).to_have_count(2)
    ann.screenshot("account")
    form = ann.get("password-form")
    form.get_by_test_id("password").fill("not the password")
    form.get_by_test_id("new_password").fill(NEW)
    form.get_by_test_id("submit").click()
    expect(form.get_by_text("The password is wrong")).to_be_visible()
    form.get_by_test_id("password").fill(PASSWORD)
    form.get_by_test_id("submit").click()
    expect(ann.get("notice")).to_contain_text("The password was changed.")
    expect(other.get("login-form")).to_be_visible()
    other.log_in(ann.name, NEW)
    expect(other.get("me")).to_have_text(ann.name)

    ann.page.reload()
    ann.get("end-log-in").click()
    expect(ann.get("log-in")).to_have_count(1)
    expect(other.get("login-form")).to_be_visible()


def test_an_account_is_deleted(ann: Window) -> None:
    ann.get("settings").click()
    ann.get("settings-security").click()
    ann.get("delete-account").click()
    form = ann.get("deletion-form")
    form.get_by_test_id("password").fill(PASSWORD)
    form.get_by_test_id("submit").click()
    expect(ann.page.locator(".auth-reason")).to_have_text("Your account was deleted.")
    ann.log_in(ann.name)
    expect(ann.page.locator(".form-error:visible")).not_to_be_empty()
