"""Two clocks that stop differently tell that a machine has slept."""

from hypothesis import given
from hypothesis import strategies as st

from thetabulk.fetch.slumber import Slumber

SUSPICIOUS_S = 30.0


@given(st.lists(st.floats(1.0, 20.0), max_size=30))
def test_a_busy_second_is_no_sleep(lengths: list[float]) -> None:
    """Looks come late on a loaded machine; both clocks agree."""
    slumber, at = Slumber(0.0, 1000.0, every_s=1.0, suspicious_s=SUSPICIOUS_S), 0.0
    for length in lengths:
        at += length
        assert slumber.look(at, 1000.0 + at) == 0.0


@given(st.floats(SUSPICIOUS_S + 1, 100_000.0))
def test_suspend_and_stop_are_told_apart_from_nothing(seconds: float) -> None:
    """The monotonic clock stands still in suspend, and goes on while the process is stopped; either is seen once."""
    suspended, stopped = (
        Slumber(0.0, 0.0, every_s=1.0, suspicious_s=SUSPICIOUS_S),
        Slumber(0.0, 0.0, every_s=1.0, suspicious_s=SUSPICIOUS_S),
    )
    assert suspended.look(1.0, 1.0 + seconds) > SUSPICIOUS_S
    assert stopped.look(1.0 + seconds, 1.0 + seconds) > SUSPICIOUS_S
    assert suspended.look(2.0, 2.0 + seconds) == stopped.look(2.0 + seconds, 2.0 + seconds) == 0.0


def test_a_clock_set_back_is_no_sleep() -> None:
    """Daylight saving by hand, or a time server: nothing is begun again."""
    slumber = Slumber(0.0, 10_000.0, every_s=1.0, suspicious_s=SUSPICIOUS_S)
    assert slumber.look(1.0, 6_401.0) == 0.0
