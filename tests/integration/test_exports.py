"""What comes out is what came in: every byte that the vendor sent."""

import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration import stores
from tests.integration.commands import thetabulk
from tests.integration.serving import Served
from tests.integration.vendor import contract_list, vendor
from tests.unit.store.test_golden import Case, cases

Simulate = Callable[..., Served]
DAYS = ("--from", "2024-07-02", "--to", "2024-07-05")  # a half-day and a holiday in it
FULL_DAY = (
    "/v3/option/history/quote?symbol=QQQ&expiration=*&strike=*&right=both&date=2024-07-05&interval=1m"
    "&start_time=09:30:00&end_time=16:15:00&format=csv"
)


def asked_directly(url: str) -> bytes:
    """What curl would get."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        body = answer.read()
        assert isinstance(body, bytes)
        return body


@pytest.mark.parametrize("line_format", ["live", "spec"])
@pytest.mark.parametrize("stored", ["parquet", "csv", "csv.zst", "decimal"])
def test_every_day_is_exported_as_the_terminal_sends_it(
    line_format: str, stored: str, simulator: Simulate, tmp_path: Path
) -> None:
    """In both line formats, from stores of every format: what a GET of the recorded request gets, to the byte."""
    terminal = simulator("--line-format", line_format)
    form = ("--prices", "decimal") if stored == "decimal" else ("--format", stored)
    where = ("--store", tmp_path / "s")
    assert thetabulk("download", "QQQ", *DAYS, "--url", terminal.url, *where, *form).code == 0
    assert thetabulk("export", "QQQ", *DAYS, *where, "-o", tmp_path / "out").code == 0
    entries = stores.days(tmp_path / "s")
    assert sorted(entries) == ["2024-07-02", "2024-07-03", "2024-07-05"]
    for day, entry in entries.items():
        assert (tmp_path / "out" / f"QQQ-{day}.csv").read_bytes() == asked_directly(terminal.url + entry["request"])
    assert entries["2024-07-05"]["request"] == FULL_DAY
    assert len(list((tmp_path / "out").iterdir())) == len(entries)


@pytest.mark.parametrize("line_format", ["live", "spec"])
@pytest.mark.parametrize("wanted", [("option/open_interest",), ("option/eod",), ("option/quote/1h", "--max-dte", "9")])
def test_other_datasets_are_exported_so_too(
    wanted: tuple[str, ...], line_format: str, simulator: Simulate, tmp_path: Path
) -> None:
    """One day of each from a year in which end-of-day reports come twice."""
    terminal = simulator("--line-format", line_format)
    where: tuple[str | Path, ...] = ("--dataset", *wanted, "--store", tmp_path / "s")
    day = ("--from", "2021-03-05", "--to", "2021-03-05")
    assert thetabulk("download", "QQQ", *day, "--url", terminal.url, *where).code == 0
    [entry] = stores.days(tmp_path / "s").values()
    exported = thetabulk("export", "QQQ", "--day", "2021-03-05", *where)
    assert (exported.code, exported.out) == (0, asked_directly(terminal.url + entry["request"]))


def is_what_the_calendar_says(case: Case) -> bool:
    """A case that takes a half-day for a whole one cannot be asked for."""
    return case.half_day or "half_day" not in case.file


WHOLE = [case for case in cases() if case.class_ != "A" and is_what_the_calendar_says(case)]


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.file}-{case.class_}") for case in WHOLE])
def test_every_golden_answer_comes_out_as_it_was_served(case: Case, tmp_path: Path) -> None:
    """Saved with the proof that its class deserves, or kept aside and accepted; then the same bytes again."""
    where = ("--dataset", case.dataset, "--store", tmp_path / "s")
    day = ("--from", f"{case.day}", "--to", f"{case.day}")
    drift = ("--schema-drift", "keep") if case.extra_columns else ()
    with vendor(case.symbol, case.body, contract_list(case.symbol, case.listed())) as url:
        ended = thetabulk("download", case.symbol, *day, "--url", url, *where, "--json", *drift)
    full = case.class_ in ("good", "C") and not case.list_adds
    if case.class_ == "B lacking":
        assert (ended.code, ended.counts) == (3, {"failed": 1})
        assert thetabulk("accept", case.symbol, "--day", f"{case.day}", *where).code == 0
    else:
        assert (ended.code, ended.counts) == (0, {"saved": 1, "proven": 1} if full else {"saved": 1})
    exported = thetabulk("export", case.symbol, "--day", f"{case.day}", *where)
    assert (exported.code, exported.out) == (0, case.body)
    assert thetabulk("verify", "--deep", "--store", tmp_path / "s").code == 0
