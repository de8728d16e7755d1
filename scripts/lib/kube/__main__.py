"""The command behind scripts/k8s-check, which explains its use."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.lib.kube import apiserver
from scripts.lib.kube.network_rules import check_network
from scripts.lib.kube.objects import Fault, Overlay
from scripts.lib.kube.pod_rules import check_pods
from scripts.lib.kube.public_rules import check_public
from scripts.lib.kube.reference_rules import check_references
from scripts.lib.kube.validation import CannotBuild, build_overlay, build_variant, check_schemas, list_overlays
from scripts.lib.servers.process import Needs

ROOT = Path(__file__).resolve().parents[3]


def check_rules(overlay: Overlay) -> Iterator[Fault]:
    """What our own rules find."""
    for check in (check_pods, check_references, check_network, check_public):
        yield from check(overlay)


def main() -> int:
    """0 when all is well, 1 with a line for each fault, 77 when a program cannot be had here."""
    parser = argparse.ArgumentParser(prog="scripts/k8s-check")
    parser.add_argument("--server", action="store_true")
    parser.add_argument("--rules", action="store_true")
    parser.add_argument("--folder", type=Path, default=ROOT / "k8s")
    options = parser.parse_args()
    count = 0
    try:
        overlays = [build_overlay(path) for path in list_overlays(options.folder)]
        overlays.append(build_variant(options.folder))
        for overlay in overlays:
            faults = [*([] if options.rules else check_schemas(overlay)), *check_rules(overlay)]
            print(f"{'FAILED' if faults else 'ok':<7} {overlay.name}: {len(overlay.objects)} objects")
            print(*faults, sep="\n", end="\n" if faults else "")
            count += len(faults)
        if options.server and not count:
            count += apiserver.check_overlays(overlays)
    except CannotBuild as error:
        print(error)
        return 1
    except Needs as error:
        print(error)
        return 1 if os.environ.get("CI") == "true" else 77
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
