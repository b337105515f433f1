"""The quotes of a day."""

import hashlib
from collections import Counter
from datetime import date

import pytest

from thetabulk.simulator.answers import Library
from thetabulk.simulator.calendar import SESSIONS, session_number
from thetabulk.simulator.lines import LINE_FORMATS, LIVE, SPEC, LineFormat
from thetabulk.simulator.queries import Query, parse

TODAY = date(2024, 12, 31)
DAY = date(2024, 8, 2)


def ask(day: date = DAY, symbol: str = "QQQ", interval: str = "1m", **more: str) -> Query:
    params = {"symbol": symbol, "expiration": "*", "date": day.isoformat(), "interval": interval, **more}
    return parse("/v3/option/history/quote", params, TODAY)


def library(lines: LineFormat = LIVE, seed: int = 1, **settings: int) -> Library:
    return Library(seed, True, lines, TODAY, **settings)  # type: ignore[arg-type]


def body(query: Query, books: Library | None = None, variant: int = 0) -> bytes:
    return b"".join(block for _, block in (books or library()).blocks(query, query.first, variant=variant))


def fields(text: bytes) -> list[list[str]]:
    return [line.replace('"', "").split(",") for line in text.decode().splitlines()]


DIGESTS = {
    ("live", "quote", "QQQ", "2024-08-02"): "96fc6332959a873c4deb1b5454380a9e691539c11825577adac64294e5d3518b",
    ("spec", "quote", "QQQ", "2024-08-02"): "91c8eecdf1068f42d2f7295d7a58620e7a4a1ebc9502ee3220d1833111704621",
    ("live", "quote", "SPXW", "2012-06-01"): "4798e7ea4b96d11c0ae7ad680c615fe48cf93072d250c7c1b9f5cc1c0be1c8c1",
    ("live", "eod", "AAPL", "2019-03-07"): "3a7b509c5dfffd9fa3eb89afb53c83827b7b943d1e3a2fccdfaf84d615ed5f92",
    ("spec", "open_interest", "VIX", "2022-01-03"): "320697fffad0425fd1186d1e9dd522322a23d07f4df06c85757eed9a9eeef7dc",
}


@pytest.mark.parametrize(("lines", "name", "symbol", "day"), DIGESTS)
def test_a_day_is_the_same_on_every_machine(lines: str, name: str, symbol: str, day: str) -> None:
    """These digests are constants: another machine, Python or year must print the same bytes for seed 1."""
    span = {"start_date": day, "end_date": day, "interval": "1m"}
    query = parse(f"/v3/option/history/{name}", {"symbol": symbol, "expiration": "*", **span}, TODAY)
    assert hashlib.sha256(body(query, library(LINE_FORMATS[lines]))).hexdigest() == DIGESTS[lines, name, symbol, day]


def test_seeds_do_not_disturb_each_other() -> None:
    """What one market remembers is not seen by another in the same process."""
    alone = body(ask())
    other = body(ask(), library(seed=2))
    assert body(ask()) == alone != other
    assert body(ask(), library(seed=2)) == other


def test_a_request_is_a_part_of_the_whole() -> None:
    """Rights, one expiration, one strike and a part of the day give exactly the lines that the whole day has."""
    whole = body(ask()).splitlines(keepends=True)
    some = fields(b"".join(whole))[4_000]
    parts = {
        "right": body(ask(right="put")),
        "expiration": body(ask(expiration=some[1])),
        "strike": body(ask(expiration=some[1], strike=some[2])),
        "time": body(ask(start_time="11:00:00", end_time="11:30:00")),
    }
    for text in parts.values():
        assert text
        assert set(text.splitlines(keepends=True)) < set(whole)
    assert len(parts["strike"].splitlines()) == 2 * 391
    assert parts["right"].count(b"\n") * 2 == len(whole)


@pytest.mark.parametrize(("end", "rows"), [("16:00:00", 391), ("16:15:00", 406), ("17:30:00", 406), ("10:00:00", 31)])
def test_every_contract_has_the_whole_grid(end: str, rows: int) -> None:
    """391 rows to 16:00, 406 to 16:15, for every contract the same; the end is included."""
    counts = Counter(tuple(row[1:4]) for row in fields(body(ask(end_time=end))))
    assert set(counts.values()) == {rows}


def test_coarse_intervals_show_some_of_the_minutes() -> None:
    """Every hourly quote is also a quote of the one-minute day."""
    minutes = set(body(ask()).splitlines())
    hours = body(ask(interval="1h")).splitlines()
    assert {line.decode().split(",")[4][11:] for line in hours} == {f"{hour:02}:30:00.000" for hour in range(9, 16)}
    assert set(hours) <= minutes


def test_fine_intervals_repeat_the_minute() -> None:
    """The market moves at whole minutes: the quotes at 10:00:59 are those of 10:00:00."""
    rows = fields(body(ask(interval="1s", start_time="10:00:00", end_time="10:01:00", right="call")))
    assert len({tuple(row[1:3]) for row in rows}) * 61 == len(rows)
    assert rows[0][5:] == rows[59][5:]


def test_both_formats_tell_the_same() -> None:
    """Only quotes, fractions and line ends differ."""
    live, spec = body(ask()), body(ask(), library(SPEC))
    assert spec.count(b"\r\n") == live.count(b"\n") == spec.count(b"\n")
    assert live.replace(b'"', b"").replace(b".000,", b",").replace(b"\n", b"\r\n") == spec.replace(b".000,", b",")


def test_quotes_are_plausible() -> None:
    """Asks are above bids, prices stand on ticks, sizes are heavy-tailed, some contracts begin with a row of zeros."""
    rows = [row for day in SESSIONS[2500:2900:80] for row in fields(body(ask(day)))]
    quoted = [row for row in rows if row[11] != "0.00"]
    assert all(float(row[7]) <= float(row[11]) for row in quoted)
    assert {row[8] for row in rows} == {row[12] for row in rows} == {"50"}
    assert len({row[6] for row in rows}) == 17
    assert all(row[5] == "0" for row in rows if row[7] == "0.00")
    opening = [row for row in rows if row[4].endswith("T09:30:00.000")]
    zero = [row for row in opening if row[5:] == ["0", row[6], "0.00", "50", "0", row[6], "0.00", "50"]]
    assert 0.2 < len(zero) / len(opening) < 0.5
    no_bid = [row for row in quoted if row[7] == "0.00"]
    assert 0.01 < len(no_bid) / len(rows) < 0.3
    sizes = sorted(int(row[9]) for row in quoted)
    assert sizes[len(sizes) // 2] < 100 < 1_000 < sizes[-1]


def test_index_prices_stand_on_nickels_and_dimes() -> None:
    """Below three dollars in steps of 0.05, from there in steps of 0.10."""
    cents = {round(100 * float(price)) for row in fields(body(ask(symbol="SPX"))) for price in (row[7], row[11])}
    assert all(price % (5 if price < 300 else 10) == 0 for price in cents)


@pytest.mark.parametrize(
    ("symbol", "setting", "end", "rows"),
    [("QQQ", 0, "16:15:00", 226), ("AAPL", 0, "16:15:00", 211), ("QQQ", 0, "13:00:00", 211)]
    + [("QQQ", rows, "16:15:00", rows) for rows in (211, 226, 391, 406)],
)  # fmt: skip
def test_half_days_end_early_or_as_they_are_told(symbol: str, setting: int, end: str, rows: int) -> None:
    """13:00, or 13:15 for what trades later; real ones have been seen as long as whole days."""
    text = body(ask(date(2024, 11, 29), symbol, end_time=end), library(half_day_rows=setting))
    assert set(Counter(tuple(row[1:4]) for row in fields(text)).values()) == {rows}


def test_after_the_close_nothing_moves() -> None:
    """A stock's options are quoted to 16:15 if asked for, and stand still from 16:00 on."""
    rows = fields(body(ask(symbol="AAPL", start_time="16:00:00", end_time="16:15:00")))
    assert len({tuple(row[1:4] + row[5:]) for row in rows}) == len(rows) // 16


def test_a_restated_day_has_the_same_contracts_and_other_quotes() -> None:
    """Variant 1 is the same day told differently."""
    first, second = fields(body(ask())), fields(body(ask(), variant=1))
    assert [row[:5] for row in first] == [row[:5] for row in second]
    assert first != second


def test_a_year_has_a_day_for_every_session() -> None:
    """No session is empty, and nothing else has rows."""
    span = {"start_date": "2023-02-13", "end_date": "2023-03-13", "interval": "1h"}
    every = parse("/v3/option/history/quote", {"symbol": "IWM", "expiration": "2023-03-17", **span}, TODAY)
    days = sorted({row[4][:10] for row in fields(body(every))})
    assert days == [day.isoformat() for day in SESSIONS if date(2023, 2, 13) <= day <= date(2023, 3, 13)]
    assert session_number(date(2023, 2, 20)) is None
