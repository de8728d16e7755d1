"""The page under a path: a proxy serves it at `/chat/`, and nothing of it asks for an address outside."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import PASSWORD, Window, unique
from tests.support.prefix_proxy import open_proxy
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_the_page_works_under_a_path(browser: Browser, new_server: Callable[..., ServerProcess]) -> None:
    with open_proxy("/chat") as proxy:
        server = new_server(ws_url=f"ws://{proxy.address}/chat/ws", origins=f"http://{proxy.address}")
        proxy.http, proxy.ws = urlsplit(server.http).netloc, urlsplit(server.ws).netloc
        window = Window(browser.new_page(), server)
        asked = window.count_requests("")
        sockets: list[str] = []
        window.page.on("websocket", lambda socket: sockets.append(socket.url))
        window.page.goto(f"http://{proxy.address}/chat/")
        name = unique("ann")
        window.get("show-register").click()
        form = window.get("register-form")
        form.get_by_test_id("name").fill(name)
        form.get_by_test_id("password").fill(PASSWORD)
        form.get_by_test_id("submit").click()
        window.new_room(unique("under a path"))
        window.say("hello from below")
        expect(window.message("hello from below")).to_be_visible()
        window.page.reload()
        expect(window.message("hello from below")).to_be_visible()
        window.screenshot("sub-path")
        inside = f"http://{proxy.address}/chat/"
        assert [url for url in asked if not url.startswith(inside)] == []
        assert set(sockets) == {f"ws://{proxy.address}/chat/ws"}
        window.page.close()
        window.check()
