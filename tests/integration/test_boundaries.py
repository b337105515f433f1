"""Where the data begin is found out, by asking; what is only missing is no beginning."""

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.integration import stores
from tests.integration.commands import Done, thetabulk
from tests.integration.serving import Served
from thetabulk.plan.calendar import Calendar

Simulate = Callable[..., Served]
CHUNK = 50


def download(terminal: Served, store: Path, first: str, last: str, *more: str) -> Done:
    days = ("--from", first, "--to", last, "--interval", "1h")
    return thetabulk("download", "QQQ", *days, "--url", terminal.url, "--store", store, "--json", *more)


def resume(terminal: Served, store: Path) -> Done:
    return thetabulk("resume", "--url", terminal.url, "--store", store, "--json")


def assert_tier_boundary(ended: Done, store: Path, day: str, *, saved: int, refused: int) -> None:
    """Saved and proven down to the boundary; older days refused, most of them without being asked; exit code 7."""
    assert (ended.code, ended.counts) == (7, {"saved": saved, "proven": saved, "refused": refused})
    assert ended.collection["boundary"] == {"kind": "tier", "day": day}
    [record] = stores.boundaries(store)
    assert record["evidence"][1] == f"{day} is the first session that is not refused"
    assert "subscription" in record["message"]
    recorded = stores.outcomes(store)
    assert all((outcome == "saved") == (one >= day) for one, outcome in recorded.items())
    assert len(recorded) <= saved + CHUNK
    stores.assert_consistent(store)


@pytest.mark.parametrize("told", [("--tier", "value"), ()])
def test_the_tier_says_where_it_begins(told: tuple[str, ...], simulator: Simulate, tmp_path: Path) -> None:
    """VALUE begins with 2020, whether we were told of the tier or learn it from the refusals."""
    terminal = simulator("--tier", "value")
    ended = download(terminal, tmp_path / "s", "2019-10-01", "2020-02-28", *told)
    assert_tier_boundary(ended, tmp_path / "s", "2020-01-02", saved=40, refused=64)
    told_tier = [text for event in ended.events("notice") if "subscription" in (text := event["message"])]
    assert told_tier == ([] if told else ["the Terminal says that the subscription is value"])


def test_a_floor_that_is_in_no_table_is_found(simulator: Simulate, tmp_path: Path) -> None:
    """An account that is refused before 2019-05-14; a later run asks once for that edge, and for no day."""
    terminal = simulator("--floor", "2019-05-14")
    ended = download(terminal, tmp_path / "s", "2019-02-01", "2019-07-31")
    assert_tier_boundary(ended, tmp_path / "s", "2019-05-14", saved=55, refused=70)
    data, probes = len(terminal.data_requests), len(terminal.asked_for("/history/"))
    assert resume(terminal, tmp_path / "s").code == 7
    assert len(terminal.data_requests) == data
    assert len(terminal.asked_for("/history/")) == probes + 1


def test_a_subscription_that_was_raised_opens_older_days(simulator: Simulate, tmp_path: Path) -> None:
    """The edge is served now: the boundary is revoked, and the days beyond it are asked for. Those that were refused
    one by one wait for another tier's name, or for --recheck."""
    assert download(simulator("--floor", "2019-05-14"), tmp_path / "s", "2019-04-01", "2019-05-31").code == 7
    refused = list(stores.outcomes(tmp_path / "s").values()).count("refused")
    wider = simulator()
    ended = resume(wider, tmp_path / "s")
    assert (ended.code, ended.counts["refused"]) == (7, refused)
    assert ended.counts["saved"] == 43 - refused
    assert [record["day"] for record in stores.boundaries(tmp_path / "s")] == ["2019-05-14", None]
    ended = thetabulk("resume", "--recheck", "--url", wider.url, "--store", tmp_path / "s", "--json")
    assert (ended.code, ended.counts) == (0, {"saved": 43, "proven": 43})


def test_a_floor_that_says_no_data_is_found_too(simulator: Simulate, tmp_path: Path) -> None:
    """Answered 472 before 2019-05-14: a vendor boundary with its evidence; older days are empty, exit code 0."""
    terminal = simulator("--floor", "2019-05-14", "--floor-answer", "472")
    ended = download(terminal, tmp_path / "s", "2019-02-01", "2019-07-31")
    assert (ended.code, ended.counts) == (0, {"saved": 55, "proven": 55, "empty": 70})
    assert ended.collection["boundary"] == {"kind": "vendor", "day": "2019-05-14"}
    [record] = stores.boundaries(tmp_path / "s")
    assert "empty days in a row, 2019-05-13 back to" in record["evidence"][0]
    assert record["evidence"][1] == "rows on 2019-07-31, asked for again"
    assert record["evidence"][2].startswith("no rows on ")
    assert record["evidence"][2].endswith("2019-02-01, 2016-01-04"), "the first wanted day, and the tier's first"
    assert len(terminal.data_requests) <= 55 + 20 + CHUNK
    data = len(terminal.data_requests)
    assert resume(terminal, tmp_path / "s").code == 0
    assert len(terminal.data_requests) == data


@pytest.mark.parametrize("seed", [1, 2])
def test_a_hole_of_65_days_is_no_boundary(seed: int, simulator: Simulate, tmp_path: Path) -> None:
    """Wherever it lies: the days inside are empty, older ones are saved."""
    sessions = Calendar.load().sessions(date(2019, 1, 2), date(2019, 7, 31))
    at = random.Random(seed).randrange(5, len(sessions) - 70)
    hole = [day.isoformat() for day in sessions[at : at + 65]]
    terminal = simulator("--hole", f"{hole[0]}:{hole[-1]}")
    ended = download(terminal, tmp_path / "s", "2019-01-02", "2019-07-31")
    saved = len(sessions) - 65
    assert (ended.code, ended.counts) == (0, {"saved": saved, "proven": saved, "empty": 65})
    assert ended.collection["boundary"] is None
    assert stores.boundaries(tmp_path / "s") == []
    assert {day for day, outcome in stores.outcomes(tmp_path / "s").items() if outcome == "empty"} == set(hole)
    stores.assert_consistent(tmp_path / "s")


def test_a_terminal_that_lies_about_everything_makes_no_boundary(simulator: Simulate, tmp_path: Path) -> None:
    """472 for every older day after some good ones, and for the canary too: no boundary, the days are only empty."""
    terminal = simulator("--faults", "false472:on=all,after=30")
    ended = download(terminal, tmp_path / "s", "2024-02-01", "2024-06-28")
    assert stores.boundaries(tmp_path / "s") == []
    assert ended.collection["boundary"] is None
    assert ended.counts["empty"] > 50
    assert any("the probes gave no clear answer" in event["message"] for event in ended.events("notice"))
    healthy = simulator()
    assert thetabulk("resume", "--recheck", "--url", healthy.url, "--store", tmp_path / "s").code == 0
    assert set(stores.outcomes(tmp_path / "s").values()) == {"saved"}


def test_one_year_is_saved_and_proven(simulator: Simulate, tmp_path: Path) -> None:
    """Every session from August to August, half-days and a leap day among them; then nothing is left to do."""
    terminal = simulator()
    ended = download(terminal, tmp_path / "s", "2023-08-03", "2024-08-02")
    sessions = Calendar.load().sessions(date(2023, 8, 3), date(2024, 8, 2))
    assert (ended.code, ended.counts) == (0, {"saved": len(sessions), "proven": len(sessions)})
    assert list(stores.outcomes(tmp_path / "s")) == [day.isoformat() for day in sessions]
    assert sorted(terminal.days()) == [day.isoformat() for day in sessions], "each day is asked for once"
    stores.assert_consistent(tmp_path / "s")
    assert resume(terminal, tmp_path / "s").code == 0
    assert len(terminal.data_requests) == len(sessions)
