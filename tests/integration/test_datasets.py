"""Every dataset and selection of the catalogue: saved, with which proof, and why."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration import stores
from tests.integration.commands import Done, thetabulk
from tests.integration.serving import Served

Simulate = Callable[..., Served]
JULY = ("2024-07-01", "2024-07-08")  # 5 sessions, one of them a half-day


def download(terminal: Served, store: Path, span: tuple[str, str], *more: str) -> Done:
    where = ("--from", span[0], "--to", span[1], "--store", store, "--url", terminal.url)
    return thetabulk("download", "QQQ", *where, "--json", *more)


def assert_verified(store: Path) -> None:
    """Every file is as it was recorded, prints what was received, and keeps the content rules."""
    assert thetabulk("verify", "--deep", "--store", store).code == 0
    stores.assert_consistent(store)


@pytest.mark.parametrize(
    ("wanted", "folder", "asked"),
    [
        (("--interval", "5m"), "option/quote/5m", "interval=5m"),
        (("--interval", "30m"), "option/quote/30m", "interval=30m"),
        (("--interval", "1h"), "option/quote/1h", "interval=1h"),
        (("--dataset", "option/quote/10m"), "option/quote/10m", "interval=10m"),
        (("--dataset", "option/eod"), "option/eod", "start_date=2024-07-01&end_date=2024-07-01"),
        (("--interval", "1h", "--max-dte", "9"), "option/quote/1h~max_dte=9", "max_dte=9"),
        (("--interval", "1h", "--strike-range", "1"), "option/quote/1h~strike_range=1", "strike_range=1"),
        (("--interval", "1h", "--right", "call"), "option/quote/1h~right=call", "right=call"),
        (("--dataset", "option/eod", "--strike-range", "2", "--right", "put", "--max-dte", "30"),
         "option/eod~max_dte=30,strike_range=2,right=put", "right=put"),
    ],
)  # fmt: skip
def test_whole_days_are_proven(
    wanted: tuple[str, ...], folder: str, asked: str, simulator: Simulate, tmp_path: Path
) -> None:
    """The vendor's list, cut to the selection, has exactly the contracts that came: proof full."""
    terminal = simulator()
    ended = download(terminal, tmp_path / "s", JULY, *wanted)
    assert (ended.code, ended.counts) == (0, {"saved": 5, "proven": 5})
    assert f"{folder}/symbol=QQQ/year=2024/QQQ-2024-07-01.parquet" in stores.data_files(tmp_path / "s")
    assert asked in stores.days(tmp_path / "s")["2024-07-01"]["request"]
    assert len(terminal.data_requests) == 5
    assert_verified(tmp_path / "s")


def test_reports_that_were_built_twice_are_proven_with_a_remark(simulator: Simulate, tmp_path: Path) -> None:
    """End of day before 2022: two rows a contract, which differ in `created`; afterwards one."""
    ended = download(simulator(), tmp_path / "s", ("2021-12-30", "2022-01-03"), "--dataset", "option/eod")
    assert (ended.code, ended.counts) == (0, {"saved": 3, "proven": 3})
    found = stores.days(tmp_path / "s")
    assert [entry["rows"] // entry["contracts"] for _, entry in sorted(found.items())] == [2, 2, 1]
    assert found["2021-12-31"]["remarks"] == ["up to 2 different rows a contract"]
    assert found["2022-01-03"]["remarks"] == []
    assert_verified(tmp_path / "s")


def test_open_interest_is_proven_only_where_no_contract_is_absent(simulator: Simulate, tmp_path: Path) -> None:
    """What was listed that day has none yet, and the exchange sends none for some: saved, with a remark that names
    them. Many absent ones might be half an answer, and are asked for twice."""
    terminal = simulator()
    ended = download(terminal, tmp_path / "s", ("2024-07-22", "2024-08-02"), "--dataset", "option/open_interest")
    assert (ended.code, ended.counts["saved"]) == (0, 10)
    asked = terminal.days()
    for day, entry in stores.days(tmp_path / "s").items():
        listed = next(one for one in stores.ledger(tmp_path / "s") if one["kind"] == "contracts" and one["day"] == day)
        absent = listed["count"] - entry["contracts"]
        assert entry["proof"] == ("remarks" if absent else "full")
        assert not absent or entry["remarks"][0].startswith(
            f"{absent} of {listed['count']} listed contracts are absent"
        )
        assert asked.count(day) == (2 if absent > listed["count"] / 10 else 1)
    assert 0 < ended.counts["proven"] < 10
    assert_verified(tmp_path / "s")


def test_a_selection_without_contracts_on_some_days_is_empty_there(simulator: Simulate, tmp_path: Path) -> None:
    """Only what expires today: in 2019 on Mondays, Wednesdays and Fridays; no boundary is seen."""
    ended = download(
        simulator(), tmp_path / "s", ("2019-01-02", "2019-02-28"), "--max-dte", "0", "--interval", "1h"
    )  # fmt: skip
    assert (ended.code, ended.counts) == (0, {"saved": 23, "proven": 23, "empty": 17})
    assert stores.boundaries(tmp_path / "s") == []


def test_a_selection_that_is_empty_for_weeks_is_no_boundary(simulator: Simulate, tmp_path: Path) -> None:
    """Monthly options that expire today: one day in 20 has any. The probes ask without the selection, and find rows."""
    terminal = simulator()
    where = ("--from", "2018-01-02", "--to", "2018-05-31", "--store", tmp_path / "s", "--url", terminal.url, "--json")
    ended = thetabulk("download", "AAPL", *where, "--max-dte", "0", "--interval", "1h", "--max-consecutive-empty", "4")
    assert ended.code == 0
    assert ended.counts["saved"] == ended.counts["proven"] > 20
    assert stores.boundaries(tmp_path / "s") == []


def test_several_collections_share_a_store(simulator: Simulate, tmp_path: Path) -> None:
    """Two symbols and two datasets: no file of one is taken for another's, and one `resume` knows them all."""
    terminal = simulator()
    where = ("--from", "2024-07-01", "--to", "2024-07-03", "--store", tmp_path / "s", "--url", terminal.url, "--json")
    assert thetabulk("download", "QQQ", "SPY", *where, "--interval", "1h").code == 0
    assert thetabulk("download", "QQQ", *where, "--dataset", "option/eod").code == 0
    assert thetabulk("download", "QQQ", *where, "--interval", "1h", "--max-dte", "9").code == 0
    asked = len(terminal.data_requests)
    ended = thetabulk("resume", "--store", tmp_path / "s", "--url", terminal.url, "--json")
    rows = [(row["dataset"], row["selection"], row["symbol"], row["proven"]) for row in ended.document["collections"]]
    assert rows == [
        ("option/eod", "", "QQQ", 3),
        ("option/quote/1h", "", "QQQ", 3),
        ("option/quote/1h", "", "SPY", 3),
        ("option/quote/1h", "max_dte=9", "QQQ", 3),
    ]
    assert len(terminal.data_requests) == asked
    lists = terminal.asked_for("/list/contracts/")
    assert len(lists) == 6, "a contract list is asked for once per symbol and day, and shared"
