"""Tiers, first days, places and the queue."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk.model import Tier
from thetabulk.simulator.account import Account, Turnstile
from thetabulk.simulator.queries import FIRST_DAY, Query, parse
from thetabulk.simulator.refusals import Refusal

TODAY = date(2024, 9, 3)


def quote(day: str, interval: str = "1m", name: str = "quote") -> Query:
    return parse(
        f"/v3/option/history/{name}",
        {"symbol": "QQQ", "expiration": "*", "start_date": day, "end_date": day, "interval": interval}, TODAY,
    )  # fmt: skip


def answer(account: Account, query: Query) -> int:
    try:
        account.check(query)
    except Refusal as refused:
        return refused.status
    return 200


@pytest.mark.parametrize("tier", [Tier.VALUE, Tier.STANDARD])
def test_a_tier_ends_where_it_ends(tier: Tier) -> None:
    """Its first day is served, the session before is refused."""
    account = Account(tier)
    assert answer(account, quote(tier.options_from.isoformat())) == 200
    assert answer(account, quote(date.fromordinal(tier.options_from.toordinal() - 1).isoformat())) == 403


def test_nothing_is_older_than_2012_06_01() -> None:
    """472 for every tier, whatever is asked."""
    for tier in Tier:
        assert answer(Account(tier), quote("2012-05-31", name="eod")) == 472
    assert answer(Account(Tier.PRO), quote(FIRST_DAY.isoformat())) == 200


def test_free_sees_end_of_day_only() -> None:
    """From 2023-06-01; quotes and open interest need value."""
    free = Account(Tier.FREE)
    assert answer(free, quote("2023-06-01", name="eod")) == 200
    assert answer(free, quote("2023-05-31", name="eod")) == 403
    assert answer(free, quote("2024-08-02")) == 403
    assert answer(free, quote("2024-08-02", name="open_interest")) == 403


def test_the_refusal_names_both_tiers() -> None:
    """As seen live: the needed one in small letters, the held one in capitals."""
    with pytest.raises(Refusal) as caught:
        Account(Tier.FREE).check(quote("2024-08-02"))
    assert caught.value.text.startswith(
        "Requesting an option endpoint requiring a value subscription, but you only have a FREE subscription."
    )
    with pytest.raises(Refusal, match=r"a professional subscription, but you only have a STANDARD subscription"):
        Account(Tier.STANDARD).check(quote("2015-12-31"))


def test_seconds_need_more_than_value() -> None:
    """VALUE has one-minute quotes (thetadata-v3.md §1.5)."""
    assert answer(Account(Tier.VALUE), quote("2024-08-02", "1s")) == 403
    assert answer(Account(Tier.STANDARD), quote("2024-08-02", "1s")) == 200


def test_a_floor_that_is_in_no_table() -> None:
    """Refused, or answered as if there were no data; the same message for every day below."""
    refusing, silent = (Account(Tier.STANDARD, date(2019, 3, 7), status) for status in (403, 472))
    assert answer(refusing, quote("2019-03-06")) == 403
    assert answer(silent, quote("2019-03-06")) == 472
    assert answer(refusing, quote("2019-03-07")) == answer(silent, quote("2019-03-07")) == 200


def test_a_silent_floor_cuts_a_range() -> None:
    """What lies above it is served."""
    query = parse(
        "/v3/option/history/eod",
        {"symbol": "QQQ", "expiration": "*", "start_date": "2019-03-01", "end_date": "2019-03-31"}, TODAY,
    )  # fmt: skip
    assert Account(Tier.STANDARD, date(2019, 3, 7), 472).check(query) == date(2019, 3, 7)


def test_the_banner_is_a_terminals() -> None:
    """What a supervisor waits for, in its order."""
    assert Account(Tier.STANDARD).banner("127.0.0.1:25503") == (
        "Subscriptions: Stock: FREE Options: STANDARD Index: FREE Rate: FREE",
        "Max concurrent requests: 4",
        "Starting server at 127.0.0.1:25503",
    )
    assert "PROFESSIONAL" in Account(Tier.PRO).banner("")[0]


@given(st.integers(1, 5), st.integers(0, 5), st.lists(st.sampled_from(["come", "go", "give up"]), max_size=60))
def test_the_turnstile_never_lets_in_too_many(places: int, queue: int, events: list[str]) -> None:
    """First come, first served; nobody is lost and nobody is let in twice."""
    turnstile: Turnstile[int] = Turnstile(places, queue)
    inside: list[int] = []
    waiting: list[int] = []
    for ticket, event in enumerate(events):
        if event == "come":
            answered = turnstile.arrive(ticket)
            expected = "in" if len(inside) < places else "wait" if len(waiting) < queue else "full"
            assert answered == expected
            {"in": inside, "wait": waiting, "full": []}[answered].append(ticket)
        elif event == "go" and inside:
            inside.pop(0)
            following = turnstile.leave()
            assert following == (waiting.pop(0) if waiting else None)
            inside += [] if following is None else [following]
        elif event == "give up" and waiting:
            assert turnstile.give_up(waiting.pop())
        assert turnstile.inside == len(inside) <= places
        assert list(turnstile.waiting) == waiting
