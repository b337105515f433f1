"""The catalogue, and the one request that each of its rows is asked for with."""

from datetime import date

import pytest

from thetabulk.errors import UsageError
from thetabulk.model import Collection, Dataset, Shard, Tier
from thetabulk.plan.datasets import (
    DATASETS,
    contracts_request,
    dataset,
    expirations_request,
    grid_of,
    probe_request,
    request_for,
    symbols_request,
)

DAY = date(2024, 8, 2)


def shard(name: str, selection: str = "") -> Shard:
    return Shard(Collection(name, selection, "QQQ"), DAY)


def test_the_catalogue_holds_quotes_at_every_stored_interval_open_interest_and_end_of_day() -> None:
    """These names stand in folders and ledgers: they never change."""
    assert list(DATASETS) == [
        "option/quote/1m",
        "option/quote/5m",
        "option/quote/10m",
        "option/quote/15m",
        "option/quote/30m",
        "option/quote/1h",
        "option/open_interest",
        "option/eod",
    ]
    assert all(found.name == name for name, found in DATASETS.items())


@pytest.mark.parametrize(
    ("name", "header"),
    [
        (
            "option/quote/1m",
            (
                "symbol,expiration,strike,right,timestamp,bid_size,bid_exchange,bid,bid_condition,"
                "ask_size,ask_exchange,ask,ask_condition"
            ),
        ),
        ("option/open_interest", "symbol,expiration,strike,right,timestamp,open_interest"),
        (
            "option/eod",
            (
                "symbol,expiration,strike,right,created,last_trade,open,high,low,close,volume,count,"
                "bid_size,bid_exchange,bid,bid_condition,ask_size,ask_exchange,ask,ask_condition"
            ),
        ),
    ],
)
def test_headers_are_those_seen_from_a_live_terminal(name: str, header: str) -> None:
    """Pinned by name and order (thetadata-v3.md §1.3)."""
    assert ",".join(DATASETS[name].header) == header


@pytest.mark.parametrize("found", DATASETS.values(), ids=list(DATASETS))
def test_every_column_is_of_a_known_kind_and_the_day_column_is_a_time_stamp(found: Dataset) -> None:
    """The parser has a reader for each of these kinds, and for no other."""
    kinds = {column.name: column.kind for column in found.columns}
    assert set(kinds.values()) <= {
        "symbol", "expiration", "strike", "right", "timestamp", "price", "size", "code", "count",
    }  # fmt: skip
    assert kinds[found.day_column] == "timestamp"


def test_what_an_answer_looks_like_is_said_per_dataset() -> None:
    """End of day comes in several builds before 2022, open interest only where the exchange sent some."""
    quote, interest, eod = DATASETS["option/quote/1m"], DATASETS["option/open_interest"], DATASETS["option/eod"]
    assert (quote.needs, quote.interval_ms, quote.sparse, quote.builds) == (Tier.VALUE, 60_000, False, False)
    assert (interest.needs, interest.interval_ms, interest.sparse) == (Tier.VALUE, None, True)
    assert (eod.needs, eod.day_column, eod.builds) == (Tier.FREE, "created", True)


@pytest.mark.parametrize(
    ("name", "interval", "full_name"),
    [
        ("option/quote", "1m", "option/quote/1m"),
        ("option/quote", "30m", "option/quote/30m"),
        ("option/quote/5m", "1m", "option/quote/5m"),
        ("option/eod", "5m", "option/eod"),
    ],
)
def test_a_dataset_is_found_by_short_and_by_full_name(name: str, interval: str, full_name: str) -> None:
    """An interval in the name wins; one that a dataset does not have is not looked at."""
    assert dataset(name, interval) == DATASETS[full_name]


@pytest.mark.parametrize(
    ("name", "interval", "said"),
    [
        ("option/trade", "1m", ["option/trade", "option/quote, option/open_interest, option/eod"]),
        ("option/quote", "60000", ["'60000' is not an interval of the API", "tick, 10ms", "1m, 5m"]),
        ("option/quote", "4h", ["'4h' is not an interval"]),
        ("option/quote/2m", "1m", ["'2m' is not an interval"]),
        ("option/quote", "tick", ["the API has the interval tick", "does not store", "1m, 5m, 10m, 15m, 30m, 1h"]),
        ("option/quote/1s", "1m", ["the API has the interval 1s", "does not store"]),
    ],
)
def test_a_wrong_name_or_interval_says_what_there_is(name: str, interval: str, said: list[str]) -> None:
    """Whoever typed it can type the next one right."""
    with pytest.raises(UsageError) as caught:
        dataset(name, interval)
    text = f"{caught.value.what} {caught.value.hint}"
    assert [part for part in said if part not in text] == []


@pytest.mark.parametrize(
    ("name", "selection", "text"),
    [
        (
            "option/quote/1m",
            "",
            (
                "/v3/option/history/quote?symbol=QQQ&expiration=*&strike=*&right=both&date=2024-08-02"
                "&interval=1m&start_time=09:30:00&end_time=16:15:00&format=csv"
            ),
        ),
        (
            "option/quote/5m",
            "max_dte=45,strike_range=10,right=call",
            (
                "/v3/option/history/quote?symbol=QQQ&expiration=*&strike=*&right=call&date=2024-08-02"
                "&interval=5m&start_time=09:30:00&end_time=16:15:00&max_dte=45&strike_range=10&format=csv"
            ),
        ),
        (
            "option/open_interest",
            "",
            "/v3/option/history/open_interest?symbol=QQQ&expiration=*&strike=*&right=both&date=2024-08-02&format=csv",
        ),
        (
            "option/eod",
            "max_dte=45",
            (
                "/v3/option/history/eod?symbol=QQQ&expiration=*&strike=*&right=both"
                "&start_date=2024-08-02&end_date=2024-08-02&max_dte=45&format=csv"
            ),
        ),
    ],
)
def test_a_shard_has_one_canonical_request(name: str, selection: str, text: str) -> None:
    """It is recorded with every outcome, so its text must never vary; end of day knows no `date`."""
    assert request_for(shard(name, selection), DATASETS[name]).text == text


def test_a_probe_asks_for_one_expiration_in_coarse_steps() -> None:
    """At most eight rows per contract, where the whole day has hundreds of thousands."""
    quote = probe_request(DATASETS["option/quote/1m"], "QQQ", DAY, date(2024, 8, 16))
    assert quote.text == (
        "/v3/option/history/quote?symbol=QQQ&expiration=2024-08-16&strike=*&right=both&date=2024-08-02"
        "&interval=1h&start_time=09:30:00&end_time=16:15:00&format=csv"
    )
    eod = probe_request(DATASETS["option/eod"], "QQQ", DAY, date(2024, 8, 16))
    assert "start_date=2024-08-02&end_date=2024-08-02" in eod.text
    assert "interval" not in eod.text


def test_lists_are_small_requests() -> None:
    """The path of the contracts ends in what kind of data they have, else the answer is 404."""
    assert contracts_request("QQQ", DAY).text == "/v3/option/list/contracts/quote?symbol=QQQ&date=2024-08-02&format=csv"
    assert contracts_request("QQQ", DAY, 45).text.endswith("date=2024-08-02&max_dte=45&format=csv")
    assert expirations_request("QQQ").text == "/v3/option/list/expirations?symbol=QQQ&format=csv"
    assert symbols_request().text == "/v3/option/list/symbols?format=csv"


@pytest.mark.parametrize(
    ("name", "half_day", "grids"),
    [
        ("option/quote/1m", False, {391: "09:30–16:00", 406: "09:30–16:15"}),
        ("option/quote/1m", True, {211: "09:30–13:00", 226: "09:30–13:15", 391: "09:30–16:00", 406: "09:30–16:15"}),
        ("option/quote/5m", False, {79: "09:30–16:00", 82: "09:30–16:15"}),
        ("option/quote/10m", False, {40: "09:30–16:00", 41: "09:30–16:15"}),
        ("option/quote/15m", True, {15: "09:30–13:00", 16: "09:30–13:15", 27: "09:30–16:00", 28: "09:30–16:15"}),
        ("option/quote/1h", False, {7: "09:30–16:00 or 16:15"}),
        ("option/eod", True, {}),
        ("option/open_interest", False, {}),
    ],
)
def test_known_grids_are_rows_per_contract(name: str, half_day: bool, grids: dict[int, str]) -> None:
    """391 and 406 at one minute, on half-days 211 and 226 as well; other intervals follow by arithmetic."""
    assert grid_of(DATASETS[name], half_day) == grids
