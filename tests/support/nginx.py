"""A real nginx in front of the roles of a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.lib.servers import nginx
from scripts.lib.servers.process import Needs
from tests.support.cluster_process import Cluster


@contextmanager
def nginx_before(cluster: Cluster, folder: Path) -> Iterator[str]:
    """HOST:PORT of an nginx that sends `/ws` to all edges of a running cluster, and REST to its services."""
    roles = cluster.processes
    edges = [process.ws_address for process in roles.values() if process.ws_address]
    try:
        process = nginx.process(folder, edges=edges, auth=roles["auth"].http_address, chat=roles["chat"].http_address)
    except Needs as missing:
        pytest.skip(str(missing))
    try:
        process.launch()
        process.await_ready()
        yield nginx.address(folder)
    finally:
        process.stop()
