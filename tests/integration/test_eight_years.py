"""The main job, whole: QQQ from 2016-08-04 to 2024-08-02, small days. `make test-slow`; a minute each.

What the normal suite has in its stead, around the floors and the holes: test_boundaries.py.
"""

import random
from datetime import date
from pathlib import Path

import pytest

from tests.integration import stores
from tests.integration.commands import Done, process, simulator_process, thetabulk
from thetabulk.plan.calendar import Calendar

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
FIRST, LAST = date(2016, 8, 4), date(2024, 8, 2)
SESSIONS = [day.isoformat() for day in Calendar.load().sessions(FIRST, LAST)]
PATIENCE_S = 900.0


def download(tmp_path: Path, *simulator: str, told: tuple[str, ...] = ()) -> Done:
    """Eight years, every minute, with a simulator in a process of its own; then `resume`, which finds nothing to do,
    and a check of every file."""
    home, store = tmp_path / "home", tmp_path / "s"
    span = ("--from", FIRST.isoformat(), "--to", LAST.isoformat(), *told)
    with simulator_process(*simulator, home=home, patience_s=PATIENCE_S) as (_, url):
        where = ("--url", url, "--store", store, "--json")
        with process("download", "QQQ", *span, *where, home=home, patience_s=PATIENCE_S) as running:
            ended = running.ended()
        again = thetabulk("resume", *where)
    assert again.code == ended.code
    assert again.events("shard_started") == []
    assert again.collection == ended.collection
    stores.assert_consistent(store)
    return ended


def test_eight_years_are_saved_and_proven(tmp_path: Path) -> None:
    """2,012 sessions, and every file prints what was received."""
    assert len(SESSIONS) == 2012
    ended = download(tmp_path)
    assert (ended.code, ended.counts) == (0, {"saved": 2012, "proven": 2012})
    assert list(stores.outcomes(tmp_path / "s")) == SESSIONS
    assert thetabulk("verify", "--quick", "--store", tmp_path / "s").code == 0


def since(day: str) -> int:
    return sum(one >= day for one in SESSIONS)


@pytest.mark.parametrize("told", [("--tier", "value"), ()])
def test_a_subscription_that_begins_later_is_a_boundary(told: tuple[str, ...], tmp_path: Path) -> None:
    """VALUE serves from 2020 on: exit code 7, everything since is proven, hardly anything before was asked for."""
    ended = download(tmp_path, "--tier", "value", told=told)
    saved = since("2020-01-01")
    assert (ended.code, ended.counts) == (7, {"saved": saved, "proven": saved, "refused": 2012 - saved})
    assert ended.collection["boundary"] == {"kind": "tier", "day": "2020-01-02"}
    assert len(stores.outcomes(tmp_path / "s")) <= saved + 50


@pytest.mark.parametrize(
    ("answer", "code", "kind", "older"), [("403", 7, "tier", "refused"), ("472", 0, "vendor", "empty")]
)
def test_a_floor_that_is_in_no_table_is_a_boundary(
    answer: str, code: int, kind: str, older: str, tmp_path: Path
) -> None:
    """2019-05-14, refused before, or without data."""
    ended = download(tmp_path, "--floor", "2019-05-14", "--floor-answer", answer)
    saved = since("2019-05-14")
    assert (ended.code, ended.counts) == (code, {"saved": saved, "proven": saved, older: 2012 - saved})
    assert ended.collection["boundary"] == {"kind": kind, "day": "2019-05-14"}
    assert len(stores.outcomes(tmp_path / "s")) <= saved + 20 + 50


def test_a_hole_is_no_boundary(tmp_path: Path) -> None:
    """65 sessions without data at a random place: empty, and everything older is saved."""
    at = random.Random(20190514).randrange(20, 2012 - 100)
    hole = SESSIONS[at : at + 65]
    ended = download(tmp_path, "--hole", f"{hole[0]}:{hole[-1]}")
    assert (ended.code, ended.counts) == (0, {"saved": 1947, "proven": 1947, "empty": 65})
    assert ended.collection["boundary"] is None
    assert stores.boundaries(tmp_path / "s") == []
    found = stores.outcomes(tmp_path / "s")
    assert [day for day, outcome in found.items() if outcome == "empty"] == hole
