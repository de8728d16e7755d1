"""A real API server refuses what the schemas cannot know: here pods with more rights than their namespace allows."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.kube.apiserver import apply_overlay, run_apiserver
from scripts.lib.kube.objects import Overlay
from scripts.lib.kube.tools import HOME
from scripts.lib.kube.validation import build_overlay
from scripts.lib.servers.process import Needs

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


def test_the_server_warns_of_a_pod_with_rights_and_refuses_a_name_that_is_none(tmp_path: Path) -> None:
    if not (HOME / "apiserver/.complete").exists():
        pytest.skip("the API server is not built: scripts/k8s-check --server builds it")
    try:
        overlay = build_overlay(ROOT / "k8s/overlays/dev")
        with run_apiserver(tmp_path) as kubectl:
            assert list(apply_overlay(kubectl, overlay, really=False)) == []
            weak: list[Any] = copy.deepcopy(list(overlay.objects))
            edge = next(each for each in weak if (each["kind"], each["metadata"]["name"]) == ("Deployment", "edge"))
            del edge["spec"]["template"]["spec"]["securityContext"]["seccompProfile"]
            service = next(each for each in weak if each["kind"] == "Service")
            service["metadata"]["name"] = "No_Name"
            said = "\n".join(apply_overlay(kubectl, Overlay("weak", weak), really=False))
    except Needs as error:
        pytest.skip(str(error))
    assert "seccompProfile" in said
    assert "No_Name" in said
