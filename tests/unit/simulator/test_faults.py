"""Which planned fault strikes which request."""

from dataclasses import replace
from datetime import date

import pytest

from thetabulk.simulator.faults import KINDS, Fault, Occasion, parse_faults, striking

CALM = Occasion(1, "quote?date=2024-08-02", 1, "quote", "QQQ", date(2024, 8, 2), 0.0)


def hits(spec: str, occasion: Occasion = CALM, seed: int = 1) -> list[str]:
    return [fault.name for fault in striking(parse_faults(spec), seed, occasion)]


def test_a_specification_is_a_list() -> None:
    """Separated by semicolons; blanks do not matter, nor does an empty one."""
    assert parse_faults("") == parse_faults(" ; ") == ()
    assert parse_faults("cut:p=0.05, at=0.5; html") == (
        Fault("cut", {"p": "0.05", "at": "0.5"}, 0),
        Fault("html", {}, 1),
    )


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("explode", "there is no fault 'explode'; there are 400, "),
        ("cut:size=3", "cut has no option 'size'; it has after, after_s, at, "),
        ("cut:p", "key=value"),
        ("cut:p=2", "of the form p=0.05"),
        ("cut:p=-0.1", "of the form p=0.05"),
        ("html:days=tomorrow", "of the form days=2020-03-02..2020-03-06"),
        ("html:from=first", "of the form from=10"),
        ("html:every=0", "of the form every=10"),
        ("cut:at=middle", "of the form at=0.5, 20000 or random"),
        ("html:on=quotes", "there is no endpoint 'quotes'; there are all, contracts, data, "),
    ],
)
def test_what_is_not_known_is_told_with_what_is(spec: str, told: str) -> None:
    """A typing error never means "no faults"."""
    with pytest.raises(ValueError, match=r".") as caught:
        parse_faults(spec)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("options", "changes", "expected"),
    [
        ("from=100,to=120", {"number": 99}, False),
        ("from=100,to=120", {"number": 100}, True),
        ("from=100,to=120", {"number": 121}, False),
        ("every=10", {"number": 30}, True),
        ("every=10", {"number": 31}, False),
        ("times=2", {"attempt": 2}, True),
        ("times=2", {"attempt": 3}, False),
        ("skip=1", {"attempt": 1}, False),
        ("skip=1,times=1", {"attempt": 2}, True),
        ("skip=1,times=1", {"attempt": 3}, False),
        ("days=2024-08-02", {}, True),
        ("days=2024-08-01..2024-08-03", {}, True),
        ("days=2024-08-03..2024-08-05", {}, False),
        ("symbols=SPY+QQQ", {}, True),
        ("symbols=SPY", {}, False),
        ("on=eod", {}, False),
        ("on=eod+quote", {}, True),
        ("on=all", {"endpoint": "expirations"}, True),
        ("after=5", {"number": 5}, False),
        ("after=5", {"number": 6}, True),
        ("after_s=240", {"seconds": 239.0}, False),
        ("after_s=240", {"seconds": 241.0}, True),
        ("p=0", {}, False),
        ("p=1", {}, True),
    ],
)
def test_every_condition_must_hold(options: str, changes: dict[str, object], expected: bool) -> None:
    """The selectors of the grammar, one by one."""
    occasion = replace(CALM, **changes)  # type: ignore[arg-type]
    assert bool(hits(f"html:{options}", occasion)) is expected
    assert not hits(f"html:{options},symbols=none", occasion)


def test_chance_is_seeded_and_fair() -> None:
    """The same storm every time; another seed another storm; every attempt draws again."""
    occasions = [replace(CALM, number=number, request=f"day {number}") for number in range(2_000)]
    storm = [bool(hits("cut:p=0.05", occasion)) for occasion in occasions]
    assert storm == [bool(hits("cut:p=0.05", occasion)) for occasion in occasions]
    assert storm != [bool(hits("cut:p=0.05", occasion, seed=2)) for occasion in occasions]
    assert 70 <= sum(storm) <= 130
    struck = next(occasion for occasion, hit in zip(occasions, storm, strict=True) if hit)
    assert not all(hits("cut:p=0.05", replace(struck, attempt=attempt)) for attempt in range(1, 20))


def test_faults_alike_draw_different_lots() -> None:
    """Two faults of a tenth each do not always come together."""
    both = [hits("html:p=0.1;html:p=0.1", replace(CALM, request=str(number))) for number in range(500)]
    assert {len(names) for names in both} == {0, 1, 2}


def test_data_faults_leave_lists_alone_and_list_faults_data() -> None:
    """Unless they are told otherwise with `on=`."""
    contracts = replace(CALM, endpoint="contracts")
    assert hits("html;list-fails") == ["html"]
    assert hits("html;list-fails", contracts) == ["list-fails"]


def test_a_restatement_shows_the_second_time() -> None:
    """The first answer is what there was before."""
    assert not hits("restate")
    assert hits("restate", replace(CALM, attempt=2))


def test_wrong_data_are_wrong_in_the_same_way_whenever_they_are_asked_for() -> None:
    """A doubled row is the same one in every answer; where a transfer is cut short is another place each time."""
    [row], [cut] = parse_faults("double-row"), parse_faults("clean-cut")
    again = replace(CALM, attempt=2)
    assert row.where(1, CALM) == row.where(1, again)
    assert row.where(1, CALM) != row.where(1, replace(CALM, request="another day"))
    assert cut.where(1, CALM) != cut.where(1, again)


def test_every_fault_is_described() -> None:
    """The beginning of faults.py is its manual."""
    manual = parse_faults.__globals__["__doc__"].replace("470 … 478", "470 471 472 473 474 475 476 477 478")
    assert [name for name in KINDS if name not in manual] == []
