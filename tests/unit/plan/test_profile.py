"""The vendor profile: what answers mean, what follows for days, tiers and requests, and its form in the ledger."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk.model import Tier
from thetabulk.plan.datasets import dataset
from thetabulk.plan.facts import ListFact
from thetabulk.plan.profile import (
    LADDERS,
    GridFact,
    Profile,
    Told,
    grids_of,
    meanings,
    requests_at_once,
    tier_by_days,
)

MINUTES, HOURS, REPORTS = dataset("option/quote/1m"), dataset("option/quote/1h"), dataset("option/eod")
LATER = GridFact("QQQ", False, "16:15", "09:31", "16:14", 404)


def means(*told: tuple[str, int, str], served: bool = True) -> list[str]:
    return [one.means for one in meanings([Told(*each) for each in told], served=served)]


CLOSED = [("weekend", 200, "Nothing here"), ("holiday", 200, "Nothing here")]


def test_two_days_that_say_the_same_mean_it() -> None:
    """A weekend and a holiday, two days before history, two above the tier."""
    before = [("before", 400, "Too early")] * 2
    above = [("above", 403, "Beyond your plan")] * 2
    assert means(*CLOSED, *before, *above) == ["empty", "empty", "empty", "empty", "refused", "refused"]


@pytest.mark.parametrize(
    "told",
    [
        CLOSED[:1],
        [CLOSED[0], ("holiday", 200, "Something else")],
        [CLOSED[0], ("holiday", 404, "Nothing here")],
        [CLOSED[0], CLOSED[0]],
        [("above", 403, "Beyond your plan")],
        [("above", 403, "Beyond your plan"), ("above", 403, "Your session has ended")],
    ],
)
def test_one_answer_alone_means_nothing(told: list[tuple[str, int, str]]) -> None:
    """Nor do two that disagree, nor two Saturdays."""
    assert set(means(*told)) == {""}


@pytest.mark.parametrize("status", [429, 474, 475, 476, 478, 470, 401, 407, 408, 500, 502, 503, 571, 572, 0])
def test_what_speaks_of_load_or_session_is_never_learned(status: int) -> None:
    """However often it comes: a storm during first contact must not become "no data"."""
    assert set(means(("weekend", status, "Busy"), ("holiday", status, "Busy"))) == {""}


@pytest.mark.parametrize("text", ["", "<html>Sign in</html>", "symbol,expiration,strike", "a\nb", "x" * 501])
def test_only_short_words_are_learned(text: str) -> None:
    """A header without rows is a cut answer, a page comes from somebody on the way."""
    assert set(means(("weekend", 200, text), ("holiday", 200, text))) == {""}


def test_nothing_is_learned_where_nothing_is_served() -> None:
    """The day that has data was not served either: then all these answers may speak of something else."""
    assert set(means(*CLOSED, served=False)) == {""}


def test_a_documented_meaning_stays() -> None:
    """472 is "no data" whoever says it, even if nothing was served; the same words above the tier are no refusal."""
    empty = [
        Told("weekend", 472, "None", "empty"),
        Told("above", 472, "None", "empty"),
        Told("above", 472, "None", "empty"),
    ]
    assert [one.means for one in meanings(empty, served=True)] == ["empty"] * 3
    assert [one.means for one in meanings(empty, served=False)] == ["empty"] * 3


def test_a_refusal_before_history_stays_a_refusal() -> None:
    """A tier that does not reach back so far says about those days what it says about all above it."""
    above, before = [("above", 403, "Beyond your plan")] * 2, [("before", 403, "Beyond your plan")] * 2
    assert means(*above, *before) == ["refused"] * 4


@given(st.lists(st.builds(
    Told, st.sampled_from(["weekend", "holiday", "before", "above"]), st.sampled_from([200, 400, 403, 429, 472, 500]),
    st.sampled_from(["a", "b", "", "<p>"]), st.sampled_from(["", "", "empty", "refused"]),
), max_size=8), st.booleans())  # fmt: skip
def test_no_answer_has_two_meanings(told: list[Told], served: bool) -> None:
    """What is learned never contradicts itself, and nothing with a meaning loses it."""
    found = meanings(told, served=served)
    assert [(one.about, one.status, one.text) for one in found] == [(one.about, one.status, one.text) for one in told]
    assert all(after.means == before.means for before, after in zip(told, found, strict=True) if before.means)
    learned = {(one.status, one.text, one.means) for before, one in zip(told, found, strict=True) if not before.means}
    answers = [(status, text) for status, text, meaning in learned if meaning]
    assert len(answers) == len(set(answers))
    assert not any(status >= 429 and status != 472 for status, _ in answers)


@pytest.mark.parametrize(
    ("half_day", "kind", "grids"),
    [
        (False, MINUTES, {(1, 404): "09:31–16:14"}),
        (False, dataset("option/quote/5m"), {(1, 80): "09:31–16:14"}),
        (False, HOURS, {(1, 6): "09:31–16:14"}),
        (True, MINUTES, {}),
        (False, REPORTS, {}),
    ],
)
def test_learned_grids_count_for_their_kind_of_day(half_day: bool, kind: Any, grids: dict[Any, str]) -> None:
    """Coarser intervals have their stamps between the same minutes; what was asked until 16:00 is never asked for."""
    other = GridFact("QQQ", False, "16:00", "09:31", "15:59", 389)
    assert grids_of(Profile(grids=(LATER, other)), kind, half_day) == grids


@pytest.mark.parametrize(
    ("first", "last", "half_day", "followed"),
    [
        ("09:45", "15:45", False, True),
        ("09:46", "16:15", False, False),
        ("09:30", "15:44", False, False),
        ("09:30", "12:45", True, True),
        ("09:30", "12:44", True, False),
    ],
)
def test_what_is_left_of_a_day_is_no_grid(first: str, last: str, half_day: bool, followed: bool) -> None:
    """A Terminal that was in trouble while it was asked must not make every cut day whole."""
    fact = GridFact("QQQ", half_day, "16:15", first, last, 1)
    assert bool(grids_of(Profile(grids=(fact,)), MINUTES, half_day)) is followed


@pytest.mark.parametrize(("status", "meaning"), [(403, "refused"), (200, "refused"), (404, ""), (400, ""), (410, "")])
def test_a_fault_above_the_tier_is_no_refusal(status: int, meaning: str) -> None:
    """Data that cannot be had for the moment are not data that are not paid for."""
    assert set(means(*[("above", status, "Not now")] * 2)) == {meaning}


def test_a_documented_grid_adds_nothing_new() -> None:
    """406 rows from 09:30: the same grid as in the catalogue."""
    usual = GridFact("QQQ", False, "16:15", "09:30", "16:15", 406)
    assert grids_of(Profile(grids=(usual,)), MINUTES, half_day=False) == {(0, 406): "09:30–16:15"}


@pytest.mark.parametrize(
    ("served", "tier"),
    [
        ([True], Tier.PRO),
        ([False, True], Tier.STANDARD),
        ([False, False, True], Tier.VALUE),
        ([False, False, False], Tier.FREE),
        ([None, True], None),
        ([False, None], None),
        ([], None),
    ],
)
@pytest.mark.parametrize("asset", sorted(LADDERS))
def test_the_tier_by_the_days_that_were_served(asset: str, served: list[bool | None], tier: Tier | None) -> None:
    """The first served day of the ladder tells it; a doubt on the way leaves it open."""
    days = [day for day, _ in LADDERS[asset]]
    assert tier_by_days(asset, dict(zip(days, served, strict=False))) is tier


def test_the_ladder_of_options_is_that_of_the_tiers() -> None:
    """Each day lies before the first day of the tier below."""
    steps = LADDERS["option"]
    for (day, tier), below in zip(steps, [tier for _, tier in steps[1:]], strict=False):
        assert day is not None
        assert tier.options_from <= day < below.options_from


def test_the_highest_tier_of_any_asset_counts() -> None:
    """By account, not added up (thetadata-v3.md §3.1)."""
    assert requests_at_once({"option": Tier.VALUE, "stock": Tier.PRO}) == 8
    assert requests_at_once({}) is None


words = st.text(max_size=20)
shares = st.floats(0, 1)
clocks = st.times().map(lambda at: f"{at:%H:%M}")
grids = st.tuples(st.integers(0, 300), st.integers(0, 200)).map(
    lambda pair: GridFact("QQQ", False, "16:15", _clock(570 + pair[0]), _clock(570 + sum(pair)), pair[1] + 1)
)
profiles = st.builds(
    Profile,
    probed=st.dates().map(date.isoformat), symbol=words, terminal=words, line_end=st.sampled_from([None, "\n", "\r\n"]),
    final_newline=st.none() | st.booleans(), header_quoted=st.none() | st.booleans(),
    quoted=st.none() | st.tuples(words, words), stamps=st.none() | words, order=st.none() | words,
    grids=st.lists(grids, max_size=3).map(tuple), contract_list=st.none() | st.builds(ListFact, words, shares, shares),
    told=st.lists(st.builds(Told, words, st.integers(200, 599), words, st.sampled_from(["", "empty"]))).map(tuple),
    framing=st.none() | words, compression=st.none() | words, header_s=st.none() | st.floats(0, 100),
    first_byte_s=st.none() | st.floats(0, 100), tiers=st.none() | st.just({"option": "free", "stock": "pro"}),
    tiers_from=st.none() | st.fixed_dictionaries({"option": words}), requests=st.none() | st.integers(1, 128),
)  # fmt: skip


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


@given(profiles)
def test_a_profile_survives_its_json(profile: Profile) -> None:
    assert Profile.from_fields(json.loads(json.dumps(profile.to_fields()))) == profile


@given(profiles, st.data())
def test_a_damaged_profile_is_told(profile: Profile, data: st.DataObject) -> None:
    """Whatever stands in a field: a profile, or ValueError, never anything else."""
    fields = profile.to_fields()
    name = data.draw(st.sampled_from(sorted(fields)))
    junk = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2) | st.floats()
    fields[name] = data.draw(junk | st.dictionaries(st.text(max_size=5), st.integers(), max_size=2))
    try:
        Profile.from_fields(fields)
    except ValueError:
        return


def test_nothing_known_is_a_profile_too() -> None:
    """An older ledger has none; and what a newer thetabulk adds is passed over."""
    assert Profile.from_fields({}) == Profile()
    assert Profile.from_fields({"weather": "fine"}) == Profile()
    assert Profile().tier("option") is None
    assert replace(Profile(), tiers={"option": "standard"}).tier("option") is Tier.STANDARD
