"""Tables that fit 80 columns."""

from tests.unit.report.events_of_a_run import STATUS_ROW
from thetabulk.report import tables


def test_status_shows_the_days_and_the_circumstances_of_each_collection() -> None:
    """Numbers under their names; dataset, range and boundary below."""
    other = STATUS_ROW | {
        "symbol": "SPY",
        "selection": "max_dte=45",
        "sessions": 100_000,
        "bytes": 0,
        "boundary": {"kind": "tier", "day": "2020-01-01"},
    }
    assert tables.status([STATUS_ROW, other]) == [
        "symbol     days  saved  proven  empty  refused  failed  pending     size",
        "QQQ       2,012  2,000   1,990      9        0       1        2  92.1 GB",
        "  option/quote/1m · 2016-08-04 … 2024-08-02",
        "SPY     100,000  2,000   1,990      9        0       1        2      0 B",
        "  option/quote/1m~max_dte=45 · 2016-08-04 … 2024-08-02",
        "  the subscription serves from 2020-01-01",
    ]


def test_the_widest_store_fits_80_columns() -> None:
    """Twelve thousand days of a long symbol, and a long selection."""
    row = STATUS_ROW | {"symbol": "BRK.B", "selection": "max_dte=45,strike_range=20,right=call"}
    row |= dict.fromkeys(("sessions", "saved", "proven", "empty", "refused", "failed", "pending"), 12_345)
    assert max(map(len, tables.status([row]))) <= 80


def test_an_empty_store_says_so() -> None:
    """No header over nothing."""
    assert tables.status([]) == ["nothing is stored or wanted yet"]


def test_gaps_are_one_line_a_day() -> None:
    """Which day, what it is, and why it is not proven; a long reason is cut."""
    rows: list[dict[str, object]] = [
        {"symbol": "QQQ", "day": "2024-07-11", "outcome": "failed", "reason": "no byte for 180 s"},
        {"symbol": "QQQ", "day": "2024-07-10", "outcome": "saved", "reason": "no contract list " * 10},
    ]
    lines = tables.gaps(rows)
    assert lines[:2] == [
        "symbol  day         is      why",
        "QQQ     2024-07-11  failed  no byte for 180 s",
    ]
    assert len(lines[2]) == 80
    assert tables.gaps([]) == ["no gaps: every day is saved and proven, or known to be empty"]


def test_problems_name_the_file() -> None:
    """What `verify` found."""
    entry: dict[str, object] = {
        "dataset": "option/quote/1m",
        "symbol": "QQQ",
        "day": "2024-08-02",
        "file": "option/quote/1m/symbol=QQQ/year=2024/QQQ-2024-08-02.parquet",
        "problem": "sha256 is not that of the ledger",
    }
    assert tables.problems("damaged", [entry]) == [
        "damaged (1)",
        "  QQQ 2024-08-02  sha256 is not that of the ledger",
        "    option/quote/1m/symbol=QQQ/year=2024/QQQ-2024-08-02.parquet",
    ]
    assert tables.problems("damaged", []) == []


def test_facts_stand_under_each_other() -> None:
    """Names left, values aligned."""
    assert tables.facts([("store", "/data"), ("free", "1.20 TB")]) == ["store  /data", "free   1.20 TB"]
