"""What a vendor is known to do changes what a day may lack, and only as far as it was seen."""

from collections.abc import Sequence
from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.store.answers import DAY, LIVE, MINUTELY, SYMBOL, Row, chain, minutes, quotes
from thetabulk.model import Collection, Contract, Proof, Shard
from thetabulk.plan.datasets import grid_of
from thetabulk.store.habits import Habits
from thetabulk.store.validate import Fate, lacks_contracts
from thetabulk.store.weighing import Weighed, Weighing

CHAIN = chain(3, 2)
WHOLE = quotes(CHAIN, minutes(391))


def weigh(rows: Sequence[Row], habits: Habits, listed: frozenset[Contract] | None = None, *, cut: int = 0) -> Weighed:
    body = LIVE.body(MINUTELY, rows)
    shard = Shard(Collection(MINUTELY.name, "", SYMBOL), DAY)
    weighing = Weighing(shard, MINUTELY, grid_of(MINUTELY, half_day=False), habits)
    weighing.feed(body[: len(body) - cut])
    weighing.finish()
    return weighing.weigh(listed, "")


def short(first: int, count: int) -> list[Row]:
    """Rows from the minute `first` after 09:30 on, so many for each contract."""
    times: list[time] = minutes(first + count)[first:]
    return quotes(CHAIN, times)


@pytest.mark.parametrize(
    ("first", "count", "fate"),
    [
        (1, 389, Fate.SAVE),  # as it was seen
        (0, 391, Fate.SAVE),  # as it is documented
        (1, 388, Fate.ASK_AGAIN),
        (0, 389, Fate.ASK_AGAIN),  # as long, but from another minute on: cut at its end
        (2, 389, Fate.ASK_AGAIN),
        (1, 391, Fate.ASK_AGAIN),
    ],
)
def test_a_learned_grid_is_whole_and_no_other(first: int, count: int, fate: Fate) -> None:
    """09:31 to 15:59 was learned; the documented grids stay good; everything else is lacking as before."""
    habits = Habits({(1, 389): "09:31–15:59"})
    assert weigh(short(first, count), habits).fate is fate


def test_a_hole_in_a_learned_grid_is_found() -> None:
    """A minute that no contract has."""
    rows = [row for number, row in enumerate(short(1, 389)) if number % 389 != 100]
    assert weigh(rows, Habits({(1, 389): "09:31–15:59", (1, 388): "09:31–15:58"})).fate is Fate.ASK_AGAIN


def some(count: int) -> frozenset[Contract]:
    """Of the chain's contracts, and behind them later ones."""
    later = [Contract(one.expiration + timedelta(days=14), one.strike_mills, one.right) for one in CHAIN]
    return frozenset([*CHAIN, *later][:count])


@pytest.mark.parametrize(("listed", "fate"), [(len(CHAIN) + 2, Fate.SAVE), (2 * len(CHAIN), Fate.ASK_AGAIN)])
def test_listed_contracts_without_quotes_are_usual_as_far_as_they_were_seen(listed: int, fate: Fate) -> None:
    """A sixth was seen to have none: then a sixth is no news, and a half still is."""
    found = weigh(WHOLE, Habits(unquoted=0.17), some(listed))
    assert found.fate is fate
    assert found.proof is Proof.REMARKS, "what the list does not confirm is not proven"
    assert any("absent" in remark for remark in found.remarks)
    assert weigh(WHOLE, Habits(), some(listed)).fate is Fate.ASK_AGAIN


@pytest.mark.parametrize(("listed", "fate"), [(len(CHAIN) - 2, Fate.SAVE), (len(CHAIN) // 2 - 1, Fate.ASK_AGAIN)])
def test_quoted_contracts_that_are_not_listed_too(listed: int, fate: Fate) -> None:
    found = weigh(WHOLE, Habits(unlisted=0.15), some(listed))
    assert (found.fate, found.proof) == (fate, Proof.REMARKS)


def test_a_list_that_agrees_is_full_proof_whatever_was_seen() -> None:
    found = weigh(WHOLE, Habits(unquoted=0.2, unlisted=0.2), some(len(CHAIN)))
    assert (found.fate, found.proof) == (Fate.SAVE, Proof.FULL)


@given(st.floats(0, 1), st.integers(1, 10_000), st.data())
def test_half_a_chain_is_never_usual(share: float, listed: int, data: st.DataObject) -> None:
    """However large the share was that was seen; and without any, nothing is usual."""
    absent = data.draw(st.integers(listed // 2 + 1, listed))
    habits = Habits(unquoted=share, unlisted=share)
    assert not habits.may_lack(absent, listed)
    assert not habits.may_add(absent, listed)
    assert not Habits().may_lack(1, listed)
    assert not Habits().may_add(1, listed)


def test_a_saved_day_is_compared_in_the_same_way() -> None:
    """A list that comes later takes nothing away that it would not have kept from being saved."""
    collection = Collection(MINUTELY.name, "", SYMBOL)
    listed = some(len(CHAIN) + 2)
    assert lacks_contracts(MINUTELY, collection, DAY, CHAIN, listed)
    assert not lacks_contracts(MINUTELY, collection, DAY, CHAIN, listed, Habits(unquoted=0.17))


@pytest.mark.parametrize(("usual", "surplus"), [(True, 1), (False, 0)])
def test_a_missing_last_line_end_is_odd_only_where_it_is_unusual(usual: bool, surplus: int) -> None:
    """Of a vendor who never sends one it says nothing about the last field."""
    rows = [*WHOLE[:-1], WHOLE[-1].but(8, 7)]
    found = weigh(rows, Habits(final_newline=usual), cut=1)
    assert len(found.findings.surplus) == surplus
    assert any("no line end" in remark for remark in found.remarks)
