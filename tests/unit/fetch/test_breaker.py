"""The breaker, with time as a number."""

from hypothesis import given
from hypothesis import strategies as st

from thetabulk.fetch.breaker import UNLIMITED, Breaker


def opened(now: float = 0.0) -> Breaker:
    """A breaker that five failures have just opened."""
    breaker = Breaker()
    for _ in range(5):
        breaker.failed(now, "connection refused")
    return breaker


def test_four_failures_do_not_open_it() -> None:
    """Nor four and four, with an answer between them."""
    breaker = Breaker()
    for _ in range(2):
        for _ in range(4):
            breaker.failed(0.0, "reset")
        assert breaker.capacity(0.0) == UNLIMITED
        breaker.succeeded()


def test_five_in_a_row_open_it_and_it_knows_why() -> None:
    """Nobody is let through for a second, then one."""
    breaker = opened()
    assert (breaker.capacity(0.0), breaker.state(0.0), breaker.cause) == (0, "open", "connection refused")
    assert breaker.capacity(0.999) == 0
    assert breaker.reopen_at == 1.0
    assert (breaker.capacity(1.0), breaker.state(1.0)) == (1, "probing")


def test_failed_probes_double_the_wait_up_to_30_seconds() -> None:
    """1, 2, 4, 8, 16, 30, 30: it never gives up."""
    breaker, now, waits = opened(), 0.0, []
    for _ in range(7):
        waits.append(breaker.wait_s)
        assert breaker.reopen_at is not None
        now = breaker.reopen_at
        breaker.failed(now, "connection refused")
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_while_somebody_answers_badly_the_wait_grows_to_ten_minutes() -> None:
    """Each probe is a request for data then: an hour of it is 11 of them."""
    breaker, now, probes = Breaker(), 0.0, 0
    for _ in range(5):
        breaker.failed(now, "HTTP 500", absent=False)
    while breaker.reopen_at is not None and breaker.reopen_at < 3_600:
        now, probes = breaker.reopen_at, probes + 1
        breaker.failed(now, "HTTP 500", absent=False)
    assert (probes, breaker.wait_s) == (11, 600.0)


def test_the_last_failure_says_whether_anybody_is_there() -> None:
    """A Terminal that comes back and answers 500 is asked more seldom from then on; one that goes, more often."""
    breaker = opened()
    assert breaker.absent
    for _ in range(10):
        assert breaker.reopen_at is not None
        breaker.failed(breaker.reopen_at, "HTTP 500", absent=False)
    assert (breaker.absent, breaker.wait_s) == (False, 600.0)
    assert breaker.reopen_at is not None
    breaker.failed(breaker.reopen_at, "connection refused")
    assert (breaker.absent, breaker.wait_s) == (True, 30.0)


def test_what_the_terminal_asks_for_is_waited() -> None:
    """Retry-After holds back everybody, once refusals are all that comes."""
    breaker = Breaker()
    for _ in range(5):
        breaker.failed(0.0, "HTTP 429", absent=False, at_least_s=120.0)
    assert breaker.reopen_at == 120.0


def test_failures_of_requests_sent_before_do_not_lengthen_the_wait() -> None:
    """Twelve streams that die together are one piece of news."""
    breaker = opened()
    for _ in range(7):
        breaker.failed(0.5, "reset")
    assert breaker.reopen_at == 1.0


def test_one_success_closes_it_and_the_next_opening_begins_at_one_second() -> None:
    """A good answer ends it, whatever it was."""
    breaker = opened()
    breaker.failed(1.0, "reset")
    breaker.succeeded()
    assert (breaker.capacity(1.0), breaker.cause, breaker.reopen_at) == (UNLIMITED, "", None)
    for _ in range(5):
        breaker.failed(2.0, "reset")
    assert breaker.wait_s == 1.0


@given(st.lists(st.tuples(st.sampled_from(["good", "absent", "bad"]), st.floats(0, 50)), max_size=100))
def test_it_always_comes_back(steps: list[tuple[str, float]]) -> None:
    """Whatever happens, within 30 seconds at least one may try again; within 600 where somebody answers."""
    breaker, now = Breaker(), 0.0
    for end, later in steps:
        now += later
        if end == "good":
            breaker.succeeded()
        else:
            breaker.failed(now, "reset", absent=end == "absent")
        assert breaker.capacity(now) in (0, 1, UNLIMITED)
        assert breaker.capacity(now + (30.0 if breaker.absent else 600.0)) >= 1
