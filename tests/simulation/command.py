"""`scripts/simulate`: many seeds, or one of them with its story. The exit code is 0 when every promise was kept.

With `--defect`, a part is replaced by one with a planted defect, and the exit code is 0 if the simulation finds it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.simulation.cluster import Parts
from tests.simulation.defects import DEFECTS
from tests.simulation.run import simulate

LIST = "list"
_WIDTH = 30


class Bar:
    """Shows the progress on a terminal; elsewhere it shows nothing."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._begun = time.monotonic()
        self._shown = sys.stderr.isatty()

    def show(self, done: int, found: int) -> None:
        """Show that `done` seeds have run, and `found` of them broke a promise."""
        if not self._shown:
            return
        filled = _WIDTH * done // self._total
        left = (time.monotonic() - self._begun) / max(1, done) * (self._total - done)
        bar = "#" * filled + "-" * (_WIDTH - filled)
        sys.stderr.write(f"\r[{bar}] {done}/{self._total} seeds, {found} broken, {left:.0f} s left \x1b[K")
        sys.stderr.flush()

    def clear(self) -> None:
        """Remove the bar, so that a line can be printed."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _parse_arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/simulate", description=__doc__)
    parser.add_argument("--seeds", type=_parse_count, default=200, metavar="N", help="how many to run (200)")
    parser.add_argument("--from", type=int, default=1, metavar="S", dest="first", help="the first of them (1)")
    parser.add_argument("--seed", type=int, metavar="X", help="replay this one, and print its story")
    parser.add_argument(
        "--defect", choices=[*DEFECTS, LIST], metavar="NAME", help="plant a defect; `list` prints their names"
    )
    return parser.parse_args(given)


def _parse_count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("give 1 or more")
    return count


def main(given: Sequence[str] | None = None) -> int:
    """Run the command. The exit code."""
    arguments = _parse_arguments(sys.argv[1:] if given is None else given)
    if arguments.defect == LIST:
        print("\n".join(DEFECTS))
        return 0
    if arguments.seed is not None:
        outcome = simulate(arguments.seed, DEFECTS.get(arguments.defect, Parts()))
        print(outcome.full_story())
        return _exit_code(len(outcome.broken), arguments.defect)
    found = _run_many(range(arguments.first, arguments.first + arguments.seeds), arguments.defect)
    return _exit_code(found, arguments.defect)


def _run_many(seeds: range, defect: str | None) -> int:
    """Run these seeds. How many broke a promise; with a defect, the run ends at the first one."""
    bar, found, done = Bar(len(seeds)), 0, 0
    option = f" --defect '{defect}'" if defect else ""
    parts = DEFECTS[defect] if defect else Parts()
    for done, seed in enumerate(seeds, 1):
        outcome = simulate(seed, parts, to_the_end=defect is None)
        if outcome.broken:
            found += 1
            bar.clear()
            print(outcome.verdict(option), flush=True)
            if defect:
                break
        bar.show(done, found)
    bar.clear()
    print(f"{done} seed{'s' * (done > 1)}, {found} of them broken")
    return found


def _exit_code(found: int, defect: str | None) -> int:
    return int(bool(found) is not bool(defect))


if __name__ == "__main__":
    sys.exit(main())
