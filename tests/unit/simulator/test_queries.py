"""What is refused, and with which words."""

from datetime import date

import pytest

from thetabulk.simulator.queries import V2_NAMES, parse
from thetabulk.simulator.refusals import Refusal

TODAY = date(2024, 9, 3)
QUOTE, EOD, INTEREST = (f"/v3/option/history/{name}" for name in ("quote", "eod", "open_interest"))
STAR = {"symbol": "QQQ", "expiration": "*"}
ONE = {"symbol": "QQQ", "expiration": "2024-08-16"}
DAY = {"date": "2024-08-02", "interval": "1m"}


def refusal(path: str, params: dict[str, str]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse(path, params, TODAY)
    return caught.value


@pytest.mark.parametrize(
    ("path", "params", "text"),
    [
        (QUOTE, STAR | DAY | {"interval": "60000"}, "Invalid interval: 60000"),
        (QUOTE, STAR | DAY | {"interval": "1min"}, "Invalid interval: 1min"),
        (QUOTE, STAR | DAY | {"interval": "100ms"}, "does not serve interval=100ms"),
        (QUOTE, STAR | DAY | {"interval": "tick"}, "does not serve interval=tick"),
        (QUOTE, STAR | DAY | {"format": "json"}, "serves csv and ndjson"),
        (QUOTE, STAR | DAY | {"format": "xml"}, "Invalid format: xml"),
        (QUOTE, STAR | DAY | {"right": "calls"}, "Invalid right: calls"),
        (QUOTE, STAR | DAY | {"strike": "1e3"}, "Invalid strike: 1e3"),
        (QUOTE, STAR | DAY | {"max_dte": "-1"}, "Invalid max_dte: -1"),
        (QUOTE, STAR | DAY | {"strike_range": "0"}, "Invalid strike_range: 0"),
        (QUOTE, STAR | DAY | {"end_time": "16:15"}, "Invalid end_time: 16:15"),
        (QUOTE, STAR | DAY | {"date": "2024-02-30"}, "Invalid date: 2024-02-30"),
        (QUOTE, STAR | DAY | {"expiration": "soon"}, "Invalid expiration: soon"),
        (QUOTE, {"expiration": "*"} | DAY, "Missing required parameter: symbol"),
        (QUOTE, {"symbol": "QQQ"} | DAY, "Missing required parameter: expiration"),
        (QUOTE, STAR, "Missing required parameter: start_date"),
        (EOD, STAR | {"date": "2024-08-02"}, "Missing required parameter: start_date"),
        (QUOTE, STAR | {"start_date": "2024-08-01", "end_date": "2024-08-02"}, "must request data a day-at-a-time"),
        (QUOTE, ONE | {"start_date": "2024-08-01", "end_date": "2024-08-02"}, "Intervals less than 1m"),
        (
            QUOTE, ONE | {"start_date": "2024-07-01", "end_date": "2024-08-02", "interval": "1m"},
            "Too many days between start and end date; max 31 days allowed",
        ),
        (
            EOD, STAR | {"start_date": "2023-08-01", "end_date": "2024-07-31"},
            "Too many days between start and end date; max 365 days allowed",
        ),
        (EOD, STAR | {"start_date": "2024-08-02", "end_date": "2024-08-01"}, "must not be after"),
        (QUOTE, STAR | DAY | {"date": "2024-09-03"}, "Cannot fetch current-day data without specifying an expiration"),
        (INTEREST, STAR | {"date": "20240903"}, "Cannot fetch current-day data without specifying an expiration"),
        (EOD, ONE | {"start_date": "2024-09-03", "end_date": "2024-09-03"}, "EOD is not available for the current day"),
        ("/v3/option/list/strikes", STAR, "Cannot specify '*' for the date"),
        ("/v3/option/list/dates/quote", STAR, "Cannot specify '*' for the date"),
        ("/v3/option/list/contracts/quote", {"symbol": "QQQ"}, "Missing required parameter: date"),
        ("/v3/calendar/year_holidays", {"year": "24"}, "Invalid year: 24"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_loud(path: str, params: dict[str, str], text: str) -> None:
    """400 with a text; nothing is guessed (thetadata-v3.md §1.2, §1.4)."""
    refused = refusal(path, params)
    assert refused.status == 400
    assert text in refused.text


def test_an_unknown_parameter_is_ignored_without_a_word() -> None:
    """As the real one does; only the header line can tell."""
    assert parse(QUOTE, STAR | DAY | {"colour": "blue"}, TODAY) == parse(QUOTE, STAR | DAY, TODAY)


@pytest.mark.parametrize("name", sorted(V2_NAMES))
def test_a_v2_name_is_gone_and_its_new_one_is_told(name: str) -> None:
    """410, with the mapping."""
    refused = refusal(QUOTE, STAR | DAY | {name: "x"})
    assert refused.status == 410
    assert f"{name} -> {V2_NAMES[name]}" in refused.text


def test_a_v2_path_is_gone() -> None:
    """Whatever comes after /v2/."""
    assert refusal("/v2/hist/option/quote", {}).status == 410


@pytest.mark.parametrize("path", ["/v3/system/mdds/status", "/v3/option/list/contracts", "/v3/nothing", "/"])
def test_an_unknown_path_is_a_page_of_html(path: str) -> None:
    """404, also for list endpoints without their last segment."""
    refused = refusal(path, {})
    assert (refused.status, refused.content_type) == (404, "text/html")
    assert "<html>" in refused.text


def test_defaults_are_the_specs() -> None:
    """One second, 09:30:00 to 16:00:00, all strikes, both rights."""
    query = parse(QUOTE, ONE | {"date": "20240802"}, TODAY)
    assert (query.interval_ms, query.start_ms, query.end_ms) == (1_000, 34_200_000, 57_600_000)
    assert (query.strike_mills, query.rights, query.json) == (None, ("CALL", "PUT"), False)


def test_date_overrides_start_and_end() -> None:
    """Where both are given (OpenAPI: `opt_date`)."""
    query = parse(QUOTE, STAR | DAY | {"start_date": "2020-01-01", "end_date": "2020-01-02"}, TODAY)
    assert query.first == query.last == date(2024, 8, 2)


def test_a_year_of_reports_is_one_request() -> None:
    """365 days, both ends counted, are served; a strike may be written short."""
    query = parse(EOD, STAR | {"start_date": "20230802", "end_date": "20240731", "strike": "14.5"}, TODAY)
    assert (query.last - query.first).days == 364
    assert query.strike_mills == 14_500
