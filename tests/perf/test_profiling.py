"""Profiles of the edge: what is read from the profilers' files, and what is written of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from perf.micro import list_codecs, list_outboxes, list_tables, open_connections, write_table
from perf.peers.flames import draw_flames, read_stacks
from perf.peers.hotspots import Profile, count_operations, name_operation, write_calls
from perf.peers.profiling import SystemCalls, read_calls
from perf.peers.rendering import read_size
from perf.peers.scenarios import SCENARIOS, Scenario

COUNTED = """# started on Fri Nov 27 07:05:18 2026

120,,raw_syscalls:sys_enter,1990945796,100.00,,
36,,syscalls:sys_enter_epoll_wait,1990945796,100.00,,
64,,syscalls:sys_enter_sendto,1990945796,100.00,,
0,,syscalls:sys_enter_close,1990945796,100.00,,
<not counted>,,syscalls:sys_enter_mmap,0,100.00,,
"""


def find_scenario(letter: str) -> Scenario:
    return next(each for each in SCENARIOS if each.letter == letter)


def test_calls_are_read_by_name_and_the_rest_is_others() -> None:
    assert read_calls(COUNTED) == {"epoll_wait": 36, "sendto": 64, "others": 20}


def test_nothing_counted_is_no_call() -> None:
    assert read_calls("# started\n") == {}


@pytest.mark.parametrize(
    ("letter", "measures", "operations", "name"),
    [
        ("e", {"cpu_us": 400.0}, 5000.0, "direct message"),
        ("a", {"cpu_us": 10.0}, 200.0, "1,000 deliveries"),
        ("g", {"opening_cpu_us": 500.0}, 4000.0, "session"),
        ("f", {"bytes": 1.0}, 5.0, "second"),
    ],
)
def test_operations_follow_from_the_cpu_of_one(
    letter: str, measures: dict[str, float], operations: float, name: str
) -> None:
    counted = SystemCalls(seconds=5.0, cpu=2.0, calls={})
    assert count_operations(find_scenario(letter), measures, counted) == pytest.approx(operations)
    assert name_operation(find_scenario(letter)) == name


def test_table_has_a_row_for_what_was_profiled(tmp_path: Path) -> None:
    profile = Profile(10.0, SystemCalls(1.0, 0.004, {"sendto": 40, "close": 0, "futex": 5, "others": 5}))
    (tmp_path / "e.json").write_bytes(msgspec.json.encode(profile))
    rows = [line for line in write_calls(tmp_path) if line.startswith("| [")]
    assert len(rows) == 1
    assert rows[0].endswith("| direct message | 400.00 | 5.00 | `sendto` 4.00, `futex` 0.50 |")


_BEFORE = "run (anyio/run.py:1);TaskHandle._run_coro (anyio/_core/_tasks.py:3)"
STACKS = (
    f"{_BEFORE};Pool.run (workers/pool.py:1);poll (chat/a.py:2) 6",
    f"{_BEFORE};Pool.run (workers/pool.py:1) 2",
    f"{_BEFORE};FanOut.run (gateway/fanout.py:1) 2",
    "main (rookery/cli/main.py:1);Runner.run (asyncio/runners.py:1) 90",
)


def test_stacks_become_a_tree_without_what_all_begin_with_and_without_the_loop() -> None:
    root = read_stacks(STACKS)
    assert root.samples == 10
    pool = root.calls["Pool.run (workers/pool.py:1)"]
    assert (pool.samples, pool.calls["poll (chat/a.py:2)"].samples) == (8, 6)
    assert list(root.calls) == ["Pool.run (workers/pool.py:1)", "FanOut.run (gateway/fanout.py:1)"]


def test_flames_have_the_share_of_each_frame_and_names_are_escaped() -> None:
    drawn = draw_flames("(e) DMs", read_stacks([*STACKS, "a;<lambda> (<string>:1) 10"]))
    assert "<title>Pool.run (workers/pool.py:1): 40.0 %</title>" in drawn
    assert "<title>&lt;lambda&gt; (&lt;string&gt;:1): 50.0 %</title>" in drawn
    assert drawn.count("<g>") == drawn.count("</g>") == 5


def test_frames_narrower_than_a_pixel_are_left_out() -> None:
    drawn = draw_flames("", read_stacks(["broad 100000", "narrow 1"]))
    assert "broad" in drawn
    assert "narrow" not in drawn


def test_no_samples_are_an_error() -> None:
    with pytest.raises(ValueError, match="no sample"):
        draw_flames("", read_stacks(["Runner.run (asyncio/runners.py:1) 5"]))


def test_size_of_a_plot_is_read_and_its_lack_is_an_error() -> None:
    assert read_size('<svg viewBox="0 0 760 254" width="760">') == (760, 254)
    with pytest.raises(ValueError, match="viewBox"):
        read_size("<svg>")


def test_every_piece_can_be_measured() -> None:
    with open_connections(30) as opened:
        works = dict([*list_codecs(), *list_tables(), *list_outboxes(*opened)])
        for work in works.values():
            work(60)
    table = write_table(dict.fromkeys(works, 1.5))
    assert table.count("| 1.50 |") == len(works) >= 15
