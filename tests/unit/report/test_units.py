"""Numbers as a person reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk.report.units import ascii_only, duration, printable, rate, shorten, size, span


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (987, "987 B"),
        (1_000, "1.00 kB"),
        (12_340_000, "12.3 MB"),
        (320_400_000, "320 MB"),
        (999_600_000, "1.00 GB"),
        (92_123_456_789, "92.1 GB"),
        (4_000_000_000_000, "4.00 TB"),
        (5_000_000_000_000_000_000, "5000 PB"),
    ],
)
def test_a_size_has_three_digits_and_a_decimal_unit(count: int, text: str) -> None:
    """Units are those that drives are sold in."""
    assert size(count) == text


def test_a_rate_is_a_size_per_second() -> None:
    """14,200,000 bytes a second."""
    assert rate(14_200_000) == "14.2 MB/s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7_500, "2 h 5 min"), (273_600, "3 d 4 h"), (-1, "0 s")],
)
def test_a_duration_has_two_units(seconds: float, text: str) -> None:
    """The two largest ones; more would be noise."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (3, 50, "0–50 s"),
        (50, 90, "50–90 s"),
        (150, 290, "2–5 min"),
        (2_400, 4_150, "40–70 min"),
        (10_900, 14_300, "3–4 h"),
        (100_000, 200_000, "1–3 d"),
    ],
)
def test_a_span_is_rounded_outwards(low: float, high: float, text: str) -> None:
    """The true value stays inside of what is said."""
    assert span(low, high) == text.replace("0–50 s", "up to 50 s")


@given(st.floats(0, 1e7), st.floats(1, 5))
def test_a_span_never_claims_less_than_it_was_given(low: float, factor: float) -> None:
    """The upper end that is shown is at least the upper end that was given."""
    text = span(low, low * factor)
    number, unit = text.removeprefix("up to ").split("–")[-1].split()
    assert int(number) * {"s": 1, "min": 60, "h": 3600, "d": 86400}[unit] >= low * factor - 1e-6


@given(st.text(), st.integers(1, 50))
def test_a_shortened_text_fits(text: str, width: int) -> None:
    """Never wider than asked, untouched if it fits."""
    short = shorten(text, width)
    assert len(short) <= width
    assert short == printable(text) or len(text) > width


def test_a_path_is_cut_in_the_middle() -> None:
    """The drive and the folder's name are what one looks for."""
    assert shorten("/Volumes/T7 Shield/market/options", 21) == "/Volumes/T…et/options"


@given(st.text())
def test_foreign_text_cannot_steer_the_terminal(text: str) -> None:
    """No control code gets through, and the length stays: columns are counted in letters."""
    assert all(letter.isprintable() for letter in printable(text))
    assert len(ascii_only(printable(text))) == len(text)
    assert ascii_only(text).isascii()
