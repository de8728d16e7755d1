"""A server whose disk takes no more: it says so to balancers, and recovers by itself."""

from __future__ import annotations

import resource
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.process import ServerProcess

pytestmark = pytest.mark.slow
BYTES = 64 * 1024  # the log of standard error stays below it, and the store is above it from the first start


def test_a_disk_that_takes_no_more_is_not_ready_until_it_does(tmp_path: Path) -> None:
    with ServerProcess("full-disk", tmp_path / "data") as server, httpx.Client(base_url=server.http) as http:
        process = psutil.Process(server.process.pid)
        _, hard = process.rlimit(resource.RLIMIT_FSIZE)
        ada = {"name": "ada", "password": "a good password"}
        assert http.post("/api/auth/register", json=ada, timeout=60).status_code == 201
        assert http.get("/readyz", timeout=60).status_code == 200

        process.rlimit(resource.RLIMIT_FSIZE, (BYTES, hard))
        refused = http.post("/api/auth/login", json=ada, timeout=60)
        assert refused.status_code == 503
        assert str(tmp_path) not in refused.text
        assert "the server's" in refused.json()["detail"]
        readiness = http.get("/readyz", timeout=60)
        assert (readiness.status_code, readiness.json()["engines"]["storage"]) == (503, "failing")
        assert http.get("/healthz", timeout=60).status_code == 200

        process.rlimit(resource.RLIMIT_FSIZE, (hard, hard))
        readiness = http.get("/readyz", timeout=60)
        assert (readiness.status_code, readiness.json()["engines"]["storage"]) == (200, "ok")
        assert http.post("/api/auth/login", json=ada, timeout=60).status_code == 200
        said = server.errors()
        assert str(tmp_path / "data/rookery.db") in said
        assert "can be written again" in said
        server.check()
