"""A plan in words that fit 80 columns."""

from typing import Any

import pytest

from thetabulk.report.forecast import lines, room, sizes

ROW: dict[str, Any] = {
    "dataset": "option/quote/1m", "selection": "", "symbol": "QQQ", "first": "2016-08-04", "last": "2024-08-02",
    "wanted": 2_012, "done": 12, "todo": 2_000, "requests": {"data": 2_000, "lists": 1_900, "probes": 1},
    "bytes": {"low": 16_100_000_000, "high": 41_300_000_000}, "seconds": {"low": 3_600, "high": 41_000},
    "evidence": "from published sizes of QQQ (2017 and 2024)",
}  # fmt: skip


def test_a_collection_has_its_numbers_and_their_source() -> None:
    """Days, requests of all kinds together, the two ranges; below what it is and how it is known."""
    assert lines([ROW]) == [
        "symbol   days  done  to do  requests      to store    time",
        "QQQ     2,012    12  2,000     3,901  16.1–41.3 GB  1–12 h",
        "  option/quote/1m · 2016-08-04 … 2024-08-02",
        "  from published sizes of QQQ (2017 and 2024)",
    ]


def test_without_evidence_there_is_no_number() -> None:
    """And the widest plan fits 80 columns."""
    row = ROW | {"bytes": None, "seconds": None, "evidence": "no evidence " * 20, "selection": "max_dte=45,right=call"}
    told = lines([row, ROW | dict.fromkeys(("wanted", "done", "todo"), 12_345)])
    assert told[1].split()[-2:] == ["?", "?"]
    assert max(map(len, told)) <= 80


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0, 0, "0 B"), (1e9, 2e9, "1.00–2.00 GB"), (9e8, 2e9, "900 MB–2.00 GB"), (5e6, 5e6, "5.00 MB")],
)
def test_a_range_of_sizes_has_one_unit_where_it_can(low: float, high: float, text: str) -> None:
    """Two where the ends differ in it."""
    assert sizes(low, high) == text


def test_whether_it_fits_is_said_or_that_it_is_not_known() -> None:
    """Beside what is free."""
    assert room("yes", 1e9, 2e9, 10**12) == ["1.00–2.00 GB to store, 1.00 TB free", "fits: there is room for it"]
    assert room("unknown", None, None, None) == [
        "size not known, free space not known",
        "whether it fits is not known",
    ]
