"""A seed replays exactly, its story can be read, and a run that would not end is ended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio.lowlevel
import pytest

from chat.domain.records import AnyRecord
from tests.simulation.cluster import Parts
from tests.simulation.command import main
from tests.simulation.defects import DEFECTS
from tests.simulation.run import simulate
from workers.persistence import PersistenceHandler

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"^(\*{3}| {3}) +\d+\.\d{4}  \S+ +\S.*$")
ON_SQLITE = 8


class RestlessHandler(PersistenceHandler):
    """Goes round in circles, without time passing."""

    async def handle_records(self, records: Sequence[AnyRecord]) -> None:
        while True:
            await anyio.lowlevel.checkpoint()


class IdleHandler(PersistenceHandler):
    """Waits for something that never happens."""

    async def handle_records(self, records: Sequence[AnyRecord]) -> None:
        await anyio.sleep_forever()


@pytest.mark.parametrize("seed", [3, 58, ON_SQLITE])
def test_two_runs_of_a_seed_tell_the_same_story(seed: int) -> None:
    assert list(simulate(seed).story.timeline()) == list(simulate(seed).story.timeline())


def test_a_seed_replays_in_another_process() -> None:
    """There, strings have other hashes, and objects other places: the order of sets differs."""
    code = "from tests.simulation.run import simulate; print(*(simulate(seed).story.digest() for seed in range(1, 6)))"
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    there = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=120)
    assert there.stdout.split() == [simulate(seed).story.digest() for seed in range(1, 6)]


def test_seeds_differ() -> None:
    assert simulate(1).story.digest() != simulate(2).story.digest()


def test_a_story_is_a_timeline_in_which_what_broke_stands_out() -> None:
    outcome = simulate(1, DEFECTS["publish before store"], to_the_end=False)
    heading, *lines = outcome.full_story().splitlines()
    story = lines[: lines.index("")]
    assert heading.startswith("seed 1: ")
    assert all(LINE.match(line) for line in story), story
    assert [line for line in story if line.startswith("***")] == [story[-1]]
    assert "before history has it" in story[-1]
    assert "scripts/simulate --seed 1" in lines[len(story) + 1]


def test_a_run_that_goes_round_in_circles_is_ended() -> None:
    (broken,) = simulate(1, Parts(handler=RestlessHandler), steps=20_000).broken
    assert "it took 20000 steps" in broken


def test_a_run_in_which_nothing_happens_any_more_is_judged() -> None:
    broken = simulate(1, Parts(handler=IdleHandler)).broken
    assert any("never gets the rest" in each or "has lost" in each for each in broken)


def test_the_command_says_whether_promises_were_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--from", "4"]) == 0
    assert capsys.readouterr().out == "2 seeds, 0 of them broken\n"
    assert main(["--seed", "4"]) == 0
    assert capsys.readouterr().out.endswith("seed 4: every promise was kept\n")


def test_the_command_plants_a_defect_and_finds_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "20", "--defect", "publish before store"]) == 0
    assert "--seed 1 --defect 'publish before store'" in capsys.readouterr().out


def test_the_command_lists_the_defects(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--defect", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == list(DEFECTS)


def test_the_command_says_when_a_planted_defect_is_not_found(capsys: pytest.CaptureFixture[str]) -> None:
    calm = next(seed for seed in range(1, 50) if not simulate(seed, DEFECTS["no fence"]).broken)
    assert main(["--seeds", "1", "--from", str(calm), "--defect", "no fence"]) == 1
    assert "1 seed, 0 of them broken" in capsys.readouterr().out
