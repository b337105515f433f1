"""End of day and open interest."""

from collections import Counter
from datetime import date
from itertools import pairwise

from tests.unit.simulator.test_market import TODAY, body, fields, library
from thetabulk.simulator.calendar import SESSIONS
from thetabulk.simulator.queries import parse


def report(name: str, first: date, last: date | None = None, **more: str) -> list[list[str]]:
    params = {"start_date": first.isoformat(), "end_date": (last or first).isoformat()}
    query = parse(f"/v3/option/history/{name}", {"symbol": "QQQ", "expiration": "*", **params, **more}, TODAY)
    return fields(body(query))


def listed(day: date) -> set[tuple[str, ...]]:
    query = parse("/v3/option/list/contracts/quote", {"symbol": "QQQ", "date": day.isoformat()}, TODAY)
    return {tuple(row[1:]) for row in fields(body(query))}


def test_before_2022_every_contract_comes_twice() -> None:
    """Two builds, equal but for `created` (thetadata-v3.md §5.3); from 2022 on one."""
    for day in (date(2021, 12, 31), date(2016, 3, 1)):
        rows = report("eod", day)
        assert set(Counter(tuple(row[1:4]) for row in rows).values()) == {2}
        assert len({tuple(row[:4] + row[5:]) for row in rows}) == len(rows) // 2
        assert len({row[4] for row in rows}) >= 2
    assert set(Counter(tuple(row[1:4]) for row in report("eod", date(2022, 1, 3))).values()) == {1}


def test_odd_days_have_four_build_times() -> None:
    """Never assume two: on a few days the halves of the chain were built apart."""
    builds = {len({row[4] for row in report("eod", day, right="call")}) for day in SESSIONS[200:330]}
    assert builds == {2, 4}


def test_end_of_day_is_made_at_a_quarter_past_five() -> None:
    """`created` is on the day itself, between 17:15 and 17:20."""
    assert {row[4][:15] for row in report("eod", date(2021, 8, 2))} <= {"2021-08-02T17:1"}
    assert all("17:15" <= row[4][11:16] < "17:20" for row in report("eod", date(2024, 8, 2)))


def test_what_did_not_trade_has_zeros_and_the_day_at_midnight() -> None:
    """Its quote is real all the same; a good part of a chain is like that."""
    rows = [row for day in SESSIONS[2600:2640:4] for row in report("eod", day)]
    idle = [row for row in rows if row[10] == "0"]
    assert 0.2 < len(idle) / len(rows) < 0.7
    for row in idle:
        assert row[5] == f"{row[4][:10]}T00:00:00.000"
        assert row[6:12] == ["0.00"] * 4 + ["0", "0"]
        assert row[18] != "0.00"


def test_what_traded_has_prices_in_order() -> None:
    """low <= open, close <= high, and no more trades than contracts."""
    for row in report("eod", date(2024, 8, 2)):
        if row[10] != "0":
            opened, high, low, closed = map(float, row[6:10])
            assert 0 < low <= min(opened, closed) <= max(opened, closed) <= high
            assert 1 <= int(row[11]) <= int(row[10])
            assert "09:30" <= row[5][11:16] < "16:15"


def test_the_last_quote_of_the_day_is_the_quote_of_the_report() -> None:
    """End of day and minutes tell of one market."""
    query = parse(
        "/v3/option/history/quote",
        {"symbol": "QQQ", "expiration": "*", "date": "2024-08-02", "interval": "1m", "start_time": "16:15:00",
         "end_time": "16:15:00"}, TODAY,
    )  # fmt: skip
    assert [row[5:] for row in fields(body(query))] == [row[12:] for row in report("eod", date(2024, 8, 2))]


def test_the_three_contract_sets_agree() -> None:
    """End of day and the contract list have the contracts of the quotes, open interest a part of them."""
    for day in SESSIONS[200:3000:311]:
        contracts = listed(day)
        assert {tuple(row[1:4]) for row in report("eod", day)} == contracts
        assert {tuple(row[1:4]) for row in report("open_interest", day)} <= contracts


def test_open_interest_is_stamped_in_the_morning_at_odd_seconds() -> None:
    """A little after 06:30, once per contract."""
    rows = report("open_interest", date(2024, 8, 2))
    assert all(row[4].startswith("2024-08-02T06:30:0") for row in rows)
    assert len({row[4] for row in rows}) > len(rows) // 2
    assert len({tuple(row[1:4]) for row in rows}) == len(rows)
    assert all(int(row[5]) > 0 for row in rows)


def test_what_was_listed_today_has_no_open_interest_yet() -> None:
    """The figure describes last night, when the contract was not there."""
    for before, day in pairwise(SESSIONS[2600:2641]):
        fresh = listed(day) - listed(before)
        assert not fresh & {tuple(row[1:4]) for row in report("open_interest", day)}


def test_reports_of_several_days_come_day_by_day() -> None:
    """Only sessions have rows, in order."""
    rows = report("open_interest", date(2024, 8, 30), date(2024, 9, 4))
    assert list(dict.fromkeys(row[4][:10] for row in rows)) == ["2024-08-30", "2024-09-03", "2024-09-04"]


def test_traded_contracts_are_those_with_volume() -> None:
    """`list/contracts/trade` agrees with the end of day."""
    query = parse("/v3/option/list/contracts/trade", {"symbol": "QQQ", "date": "2024-08-02"}, TODAY)
    traded = {tuple(row[1:4]) for row in report("eod", date(2024, 8, 2)) if row[10] != "0"}
    assert {tuple(row[1:]) for row in fields(body(query, library()))} == traded
