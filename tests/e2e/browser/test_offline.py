"""The page opens without a connection, once it was open with one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.browser import Window
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]
KEPT = """async () => {
  await navigator.serviceWorker.ready;
  const kept = await caches.open("rookery.page");
  return (await kept.keys()).length;
}"""


def test_the_page_opens_while_the_server_is_away(
    new_window: Callable[..., Window], new_server: Callable[..., ServerProcess]
) -> None:
    server = new_server()
    ann = new_window(server)
    ann.open()
    assert ann.page.evaluate(KEPT) >= 3
    ann.lenient = True
    server.terminate()
    server.wait()
    ann.page.reload()
    expect(ann.page.get_by_test_id("login-form")).to_be_visible()
    expect(ann.page).to_have_title("Rookery")
