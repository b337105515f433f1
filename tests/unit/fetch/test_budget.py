"""How many retries there may be."""

from hypothesis import given
from hypothesis import strategies as st

from thetabulk.fetch.budget import Budget


def granted(budget: Budget, tries: int, *, outage: bool = False) -> int:
    return sum(budget.grant(outage=outage) for _ in range(tries))


def test_a_small_run_has_its_attempts() -> None:
    """Ten retries before anything has been earned: three days may fail three times each."""
    assert granted(Budget(), 100) == 10


def test_half_of_the_requests_may_be_retried() -> None:
    """Not more than that, whatever fails."""
    budget, made = Budget(), 0
    for _ in range(1_000):
        budget.asked(outage=False)
        made += granted(budget, 3)
    assert made == 10 + 500


def test_what_a_long_calm_leaves_over_is_forgotten() -> None:
    """A year without a failure is no reason for a storm of retries."""
    budget = Budget()
    for _ in range(10_000):
        budget.asked(outage=False)
    assert granted(budget, 1_000) == 50


def test_in_an_outage_it_is_a_tenth() -> None:
    """And what was left over before does not count."""
    budget = Budget()
    for _ in range(100):
        budget.asked(outage=False)
    assert granted(budget, 5, outage=True) == 0
    for _ in range(31):
        budget.asked(outage=True)
    assert granted(budget, 5, outage=True) == 3


def test_every_outage_begins_with_nothing() -> None:
    """What the last one left over is gone."""
    budget = Budget()
    for _ in range(50):
        budget.asked(outage=True)
    budget.asked(outage=False)
    assert granted(budget, 5, outage=True) == 0


def test_a_share_of_nothing_grants_the_first_ten_only() -> None:
    """Settings may say that nothing is to be asked again at once."""
    budget = Budget(0.0, 0.0)
    for _ in range(100):
        budget.asked(outage=False)
    assert granted(budget, 100) == 10


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=300))
def test_it_never_grants_more_than_its_share(steps: list[tuple[bool, bool]]) -> None:
    """In whatever order days are asked for, fail, and outages come and go."""
    budget, asked, made = Budget(), 0, 0
    for is_request, outage in steps:
        if is_request:
            budget.asked(outage=outage)
            asked += 1
        else:
            made += budget.grant(outage=outage)
    assert made <= 10 + asked / 2
