"""Whether the Terminal has become slow: less goodput alone says nothing."""

from thetabulk.fetch.decline import Decline

MB = 1_000_000


def after(decline: Decline, seconds: int, mb_per_s: float, in_flight: int, answer_every_s: float) -> list[bool]:
    """What the ticks of so many seconds say that is news: slow, or no more so."""
    news = []
    for second in range(seconds):
        if answer_every_s and second % answer_every_s == 0:
            decline.answered()
        if decline.tick(int(mb_per_s * MB), in_flight):
            news.append(decline.slow)
    return news


def test_answers_that_bring_a_fifth_and_take_five_times_as_long_are_slow() -> None:
    """As a Terminal that had been up for eight hours (thetadata-v3.md §3.2); told once, and once when it is over."""
    decline = Decline(900, 3.0)
    assert after(decline, 3_600, 15.0, 4, 10) == []
    assert after(decline, 1_800, 3.0, 4, 50) == [True]
    assert after(decline, 3_600, 15.0, 4, 10) == [False]
    assert decline.best is not None
    assert (decline.best.rate, decline.best.answer_s) == (15.0 * MB, 40.0)


def test_a_short_dip_is_not_slow() -> None:
    """Three minutes within a quarter of an hour."""
    decline = Decline(900, 3.0)
    after(decline, 900, 15.0, 4, 10)
    assert after(decline, 180, 1.0, 4, 100) + after(decline, 720, 15.0, 4, 10) == []


def test_fewer_requests_in_flight_bring_less_and_are_not_slow() -> None:
    """The limit has been cut: each answer comes as fast as before."""
    decline = Decline(900, 3.0)
    after(decline, 900, 16.0, 4, 10)
    assert after(decline, 900, 4.0, 1, 10) == []


def test_small_days_bring_less_and_are_not_slow() -> None:
    """Old days have a tenth of the contracts: each megabyte takes longer, no answer does."""
    decline = Decline(900, 3.0)
    after(decline, 900, 10.0, 4, 2)
    assert after(decline, 900, 1.0, 4, 2) == []


def test_nothing_in_flight_is_nobodys_fault() -> None:
    """No second of it counts: an outage, a pause, the end."""
    decline = Decline(900, 3.0)
    after(decline, 900, 10.0, 4, 2)
    assert after(decline, 5_000, 0.0, 0, 0) == []


def test_requests_that_bring_nothing_at_all_are_slow() -> None:
    """No division by zero."""
    decline = Decline(900, 3.0)
    after(decline, 900, 10.0, 4, 2)
    assert after(decline, 900, 0.0, 4, 0) == [True]


def test_what_was_measured_before_a_pause_belongs_to_another_time() -> None:
    """The window begins anew."""
    decline = Decline(900, 3.0)
    after(decline, 900, 15.0, 4, 10)
    after(decline, 800, 1.0, 4, 0)
    decline.begin_anew()
    assert after(decline, 899, 1.0, 4, 0) == []
    assert after(decline, 1, 1.0, 4, 0) == [True]
