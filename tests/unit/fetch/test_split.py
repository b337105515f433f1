"""A day in parts: together exactly the whole, each asked for once."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from thetabulk.fetch.split import may_be_empty, ways_to_ask
from thetabulk.model import INTERVALS_MS, Collection, Request, Shard
from thetabulk.plan.datasets import dataset, request_for


def request(name: str = "option/quote/1m", selection: str = "") -> Request:
    return request_for(Shard(Collection(name, selection, "QQQ"), date(2024, 7, 1)), dataset(name))


def minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:5])


def test_first_the_whole_then_by_right_then_by_time() -> None:
    """One request, two, eight."""
    whole, by_right, by_time = ways_to_ask(request())
    assert whole == (request(),)
    assert [dict(part.params)["right"] for part in by_right] == ["call", "put"]
    assert len(by_time) == 8


@given(st.sampled_from([name for name, length in INTERVALS_MS.items() if length >= 60_000]))
def test_bands_of_time_meet_without_gap_or_overlap(interval: str) -> None:
    """Every stamp of the grid lies in exactly one band of each right."""
    step = INTERVALS_MS[interval] // 60_000
    stamps = list(range(minutes("09:30"), minutes("16:15") + 1, step))
    for right in ("call", "put"):
        parts = [dict(part.params) for part in ways_to_ask(request(f"option/quote/{interval}"))[-1]]
        bands = [(minutes(part["start_time"]), minutes(part["end_time"])) for part in parts if part["right"] == right]
        assert all(sum(low <= stamp <= high for low, high in bands) == 1 for stamp in stamps)


def test_what_cannot_be_divided_further_is_not() -> None:
    """Open interest has no times; one right alone has no halves."""
    assert [len(way) for way in ways_to_ask(request("option/open_interest"))] == [1, 2]
    assert [len(way) for way in ways_to_ask(request("option/open_interest", "right=call"))] == [1]
    assert [len(way) for way in ways_to_ask(request(selection="right=call"))] == [1, 4]


def test_only_a_band_of_time_may_be_empty() -> None:
    """After 13:15 of a half-day there is nothing; a chain without puts is not whole."""
    whole, by_right, by_time = ways_to_ask(request())
    assert not any(may_be_empty(part, whole[0]) for part in by_right)
    assert all(may_be_empty(part, whole[0]) for part in by_time)
