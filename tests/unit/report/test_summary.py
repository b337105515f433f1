"""The last word of a run."""

import re

import pytest

from tests.unit.report.events_of_a_run import STATUS_ROW, empty, failed, refused, run_started, saved, shard
from thetabulk import errors
from thetabulk.events import BoundarySkipped, Paused, Resumed, RunFinished, ShardFinished
from thetabulk.model import Boundary, Outcome, Proof
from thetabulk.report import summary
from thetabulk.report.tally import Tally


def finished(exit_code: int, outcomes: list[Outcome], source: str = "terminal") -> Tally:
    """A run of these outcomes, over after 200 s."""
    tally = Tally()
    tally.add(run_started(source=source), 0.0)
    for outcome in outcomes:
        tally.add(ShardFinished(outcome), 100.0)
    tally.add(RunFinished(exit_code, (STATUS_ROW,), {}), 200.0)
    return tally


def test_a_complete_run() -> None:
    """Days, proof, bytes, time, the state of the store, and what to type next."""
    tally = finished(0, [saved(n) for n in range(90)])
    tally.add(BoundarySkipped(Boundary(shard(0).collection, "vendor", shard(89).day), 10), 200.0)
    assert summary.lines(tally, 200.0) == [
        "",
        "complete (exit code 0)",
        "  this run  90 saved",
        "  before    12 days done",
        "  boundary  10 days lie before the data begin",
        "  proven    90 of 90, all",
        "  written   360 MB, from 3.60 GB of answers",
        "  time      3 min 20 s · 18.0 MB/s",
        "",
        "symbol   days  saved  proven  empty  refused  failed  pending     size",
        "QQQ     2,012  2,000   1,990      9        0       1        2  92.1 GB",
        "  option/quote/1m · 2016-08-04 … 2024-08-02",
        "",
        "next: thetabulk verify",
        "      checks every file again",
    ]


def test_a_run_with_failures_says_how_to_go_on() -> None:
    """Failed and unreached days are named, unproven ones counted, simulated data called so."""
    outcomes: list[Outcome] = [saved(0), saved(1, 40_000_000, Proof.NO_CONTRACT_LIST), empty(2), failed(3)]
    lines = summary.lines(finished(3, outcomes, source="simulator"), 200.0)
    assert lines[1:7] == [
        "finished, but days failed (exit code 3)",
        "  this run     2 saved · 1 empty · 1 failed",
        "  before       12 days done",
        "  not reached  96 days",
        "  proven       1 of 2 saved",
        "  written      8.00 MB, from 80.0 MB of answers",
    ]
    assert lines[-5:] == [
        "",
        "SIMULATED: these data come from the built-in simulator, not from the market",
        "",
        "next: thetabulk resume",
        "      asks the failed days again; `thetabulk status --gaps` tells which and why",
    ]


def test_a_pause_is_part_of_the_time() -> None:
    """It explains a night that brought little."""
    tally = finished(11, [saved(0)])
    tally.add(Paused("drive", "the drive is not there"), 300.0)
    tally.add(Resumed("drive", 600.0), 900.0)
    assert "  time         15 min 0 s · 44.4 kB/s · paused 10 min 0 s" in summary.lines(tally, 900.0)


def test_without_an_end_there_is_no_last_word() -> None:
    """Nothing is summed up that has not finished."""
    assert summary.lines(Tally(), 0.0) == []


def test_every_exit_code_of_the_errors_has_a_meaning() -> None:
    """The list in errors.py and the words here are about the same codes."""
    codes = {int(code) for code in re.findall(r"\b(\d{1,3})\b(?=  |,? )", errors.__doc__ or "")} | {129, 130, 143}
    codes |= {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")}
    assert {code for code in codes if summary.meaning(code) == f"ended with exit code {code}"} == set()


@pytest.mark.parametrize("exit_code", [0, 1, 3, 4, 5, 7, 8, 11, 130])
def test_the_summary_fits_80_columns(exit_code: int) -> None:
    """Whatever the end was."""
    tally = finished(exit_code, [saved(0), failed(1)], source="simulator")
    assert max(map(len, summary.lines(tally, 200_000.0))) <= 80


def test_refusals_that_are_not_recorded_are_told() -> None:
    """The table below has none: the subscription shrank, and the days are asked for again."""
    tally = finished(7, [refused(number) for number in range(3)])
    tally.add(RunFinished(7, (STATUS_ROW,), {"unrecorded": 3}), 200.0)
    lines = summary.lines(tally, 200.0)
    assert lines[2:4] == [
        "  this run     3 refused",
        "               3 refused days are not recorded: asked for again",
    ]
    assert not [line for line in summary.lines(finished(7, [refused(0)]), 200.0) if "not recorded" in line]
