"""What a download is asked for."""

from dataclasses import replace
from datetime import date

import pytest

from thetabulk.assembly.wishes import (
    Wish,
    collections_of,
    job_of,
    up_to,
    wish_of,
    wish_of_jobs,
    wish_of_shards,
)
from thetabulk.config import JobConfig
from thetabulk.errors import UsageError
from thetabulk.model import Collection, Job, Shard, Tier

QQQ = Collection("option/quote/1m", "", "QQQ")
SPY = Collection("option/quote/1m", "", "SPY")
SETTLED = tuple(date(2024, month, day) for month in range(1, 9) for day in range(1, 29))
"""Stand-ins for sessions, ascending."""


def asked(**changes: object) -> JobConfig:
    return JobConfig(**({"symbols": ("QQQ",)} | changes))  # type: ignore[arg-type]


def test_a_range_is_wanted_newest_first() -> None:
    """Both ends included."""
    wish = wish_of(asked(first=date(2024, 3, 2), last=date(2024, 3, 5)), SETTLED, Tier.STANDARD)
    assert wish.days == {QQQ: tuple(date(2024, 3, day) for day in (5, 4, 3, 2))}
    assert (wish.first, wish.last, wish.collections, wish.notes) == (date(2024, 3, 2), date(2024, 3, 5), (QQQ,), ())


def test_from_defaults_to_the_first_day_of_the_tier() -> None:
    """And to the newest settled session."""
    sessions = (date(2019, 12, 31), date(2020, 1, 2), date(2024, 8, 2))
    assert wish_of(asked(), sessions, Tier.VALUE).days[QQQ] == (date(2024, 8, 2), date(2020, 1, 2))


def test_a_last_day_that_is_not_settled_is_cut_back_and_said() -> None:
    """Today is never saved."""
    wish = wish_of(asked(first=date(2024, 8, 1), last=date(2024, 12, 31)), SETTLED, Tier.STANDARD)
    assert wish.last == SETTLED[-1]
    assert "cut back" in wish.notes[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"symbols": ()}, "which symbol"),
        ({"symbols": ("Q Q",)}, "not a symbol"),
        ({"dataset": "option/greeks"}, "no dataset"),
        ({"interval": "7m"}, "not an interval"),
        ({"interval": "tick"}, "does not store it"),
        ({"first": date(2024, 3, 5), "last": date(2024, 3, 2)}, "ends before it begins"),
        ({"first": date(2030, 1, 1)}, "settled"),
        ({"first": date(2024, 1, 29), "last": date(2024, 1, 31)}, "no trading day"),
    ],
)
def test_what_cannot_be_wanted_is_a_usage_error(changes: dict[str, object], words: str) -> None:
    """Before anything is asked or made."""
    with pytest.raises(UsageError, match=words):
        wish_of(asked(**changes), SETTLED, Tier.STANDARD)


def test_symbols_are_told_apart_by_their_capitals_only() -> None:
    """`qqq QQQ` is one; what is selected is part of the collection."""
    found = collections_of(asked(symbols=("qqq", "QQQ", "spy"), interval="5m", max_dte=45, right="call"))
    assert [str(one) for one in found] == [
        "QQQ option/quote/5m~max_dte=45,right=call", "SPY option/quote/5m~max_dte=45,right=call"
    ]  # fmt: skip


def test_the_same_wish_is_the_same_job() -> None:
    """Repeating a download adds none."""
    wish = wish_of(asked(first=date(2024, 3, 1)), SETTLED, Tier.STANDARD)
    again = wish_of(asked(first=date(2024, 3, 1), last=SETTLED[-1]), SETTLED, Tier.PRO)
    other = wish_of(asked(first=date(2024, 3, 2)), SETTLED, Tier.STANDARD)
    assert job_of(wish) == job_of(again)
    assert job_of(wish).id != job_of(other).id
    assert wish_of_jobs([job_of(wish)], SETTLED) == Wish(wish.days)


def test_jobs_of_one_collection_want_each_day_once() -> None:
    """They may overlap, and leave days out between them."""
    jobs = [
        Job("a", (QQQ,), date(2024, 3, 1), date(2024, 3, 3)),
        Job("b", (QQQ, SPY), date(2024, 3, 2), date(2024, 3, 4)),
        Job("c", (QQQ,), date(2024, 5, 1), date(2024, 5, 1)),
    ]
    days = wish_of_jobs(jobs, SETTLED).days
    assert days[QQQ] == (date(2024, 5, 1), *(date(2024, 3, day) for day in (4, 3, 2, 1)))
    assert days[SPY] == tuple(date(2024, 3, day) for day in (4, 3, 2))


def test_exactly_these_days_can_be_wanted() -> None:
    """For repairs."""
    shards = [Shard(QQQ, SETTLED[5]), Shard(SPY, SETTLED[0]), Shard(QQQ, SETTLED[9])]
    assert wish_of_shards(shards).days == {QQQ: (SETTLED[9], SETTLED[5]), SPY: (SETTLED[0],)}


def test_an_update_lets_only_the_latest_job_of_a_collection_grow() -> None:
    """An older one's end was wanted so; no collection gets days that another one wants."""
    old = Job("a", (QQQ,), date(2024, 1, 1), date(2024, 2, 1))
    new = Job("b", (QQQ,), date(2024, 3, 1), date(2024, 4, 1))
    spy = Job("c", (SPY,), date(2024, 5, 1), date(2024, 5, 2))
    assert up_to([old, new, spy], SETTLED[-1]) == [
        old, replace(new, last=SETTLED[-1]), replace(spy, last=SETTLED[-1])
    ]  # fmt: skip
