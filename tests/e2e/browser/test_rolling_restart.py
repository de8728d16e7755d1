"""Two edges are restarted one after the other: the page says that it reconnects, and goes on without being loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.browser import Window, meet
from tests.support.cluster_process import Cluster
from tests.support.nginx import nginx_before
from tests.support.own_servers import servers_with

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.production, pytest.mark.long]
WATCH_STATUS = """() => {
  const status = document.querySelector('[data-testid="connection-status"]');
  window.states = [status.dataset.state];
  const note = () => window.states.push(status.dataset.state);
  new MutationObserver(note).observe(status, { attributes: true, attributeFilter: ["data-state"] });
}"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # The page comes from nginx, and its socket from a balancer beside it: another origin.
    with Cluster("browser-rolling", servers_with(), drain_jitter_seconds="4", origins="*").running() as running:
        yield running


@pytest.fixture(scope="module")
def site(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Where the page is, for a window."""
    with nginx_before(cluster, tmp_path_factory.mktemp("nginx")) as address:
        yield SimpleNamespace(http=f"http://{address}")


def test_the_page_goes_on_while_edges_are_restarted(
    cluster: Cluster, site: Any, new_window: Callable[..., Window]
) -> None:
    ann, bob = new_window(site), new_window(site)
    meet(ann, bob)
    ann.say("before")
    expect(bob.message("before")).to_be_visible()
    for window in (ann, bob):
        window.page.evaluate(WATCH_STATUS)
    said = ["before"]
    for name in ("edge0", "edge1"):
        edge = cluster.processes[name]
        edge.terminate()
        said.append(f"while {name} drains")
        ann.say(said[-1])  # whether its edge is the one that drains or not
        assert edge.wait() == 0
        expect(bob.message(said[-1])).to_be_visible()
        expect(ann.message(said[-1])).to_have_attribute("data-state", "stored")
        edge.start()
    for window in (ann, bob):
        expect(window.get("connection-status")).to_have_attribute("data-state", "online")
        states = window.page.evaluate("() => window.states")  # gone, had the page been loaded again
        assert states[0] == states[-1] == "online"
        assert "reconnecting" in states  # both were at one of the two edges
        window.expect_texts(*said)
    cluster.check()
