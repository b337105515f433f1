"""One field alone: lenient where a text has one meaning, strict where it has none."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk.errors import BadAnswer
from thetabulk.model import Column
from thetabulk.store import fields
from thetabulk.store.contracts import parse_contract
from thetabulk.store.fields import NOT_UNITS

PRICE, SIZE, CODE, STAMP = (Column(kind, kind) for kind in ("price", "size", "code", "timestamp"))
DAYS = st.datetimes(datetime.fromisoformat("1883-01-01"), datetime.fromisoformat("2200-01-01"))


@pytest.mark.parametrize("text", ["1.3", "+1.30", " 1.30", "1.300", "01.30", "13e-1", "1.30E0", "130.0e-2"])
def test_a_price_may_be_printed_in_many_ways(text: str) -> None:
    """They all say 130 cents."""
    assert fields.price(PRICE, text, 2) == (130, None)


@pytest.mark.parametrize(
    "text", ["1.305", "NaN", "nan", "-inf", "Infinity", "1e308", "21474836.47", "10000000", "1e-99"]
)
def test_a_price_that_is_no_whole_number_of_cents_is_odd(text: str) -> None:
    """It is kept as what it is."""
    units, odd = fields.price(PRICE, text, 2)
    assert units == NOT_UNITS
    assert odd is not None
    assert odd.is_nan() == Decimal(text).is_nan()
    assert odd.is_nan() or odd == Decimal(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", ".", "-", "1_0", "١٢", "1,3", "1.3.0", "0x1F", "sNaN", "NaN7", "1e9999", "1" * 40, "null", "1.3\x00"],
)
def test_what_is_no_price_is_refused(text: str) -> None:
    """Python's Decimal would take some of them."""
    with pytest.raises(BadAnswer, match="price is no price") as told:
        fields.price(PRICE, text, 2)
    assert told.value.kind == "field"


@pytest.mark.parametrize("text", ["", "1.0", "1_0", "٣", "1e3", "0x10", "five", "50\x00", "2147483648", "-2147483648"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """Python's int would take some of them; a column of 32 bits not the last two."""
    with pytest.raises(BadAnswer, match="size is"):
        fields.whole(SIZE, text)


def test_a_code_has_sixteen_bits() -> None:
    """More would not fit its column."""
    assert fields.whole(CODE, "32767") == 32_767
    with pytest.raises(BadAnswer, match="out of range"):
        fields.whole(CODE, "32768")


@given(DAYS, st.sampled_from(["fixed", "trimmed"]))
def test_a_stamp_survives_printing(moment: datetime, fraction: str) -> None:
    """stamp_text and back, in milliseconds."""
    milliseconds = (moment - datetime.fromisoformat("1970-01-01")) // timedelta(milliseconds=1)
    text = fields.stamp_text(milliseconds, fraction)
    assert fields.stamp(STAMP, text) == milliseconds
    assert len(text) == 23 or fraction == "trimmed"


@pytest.mark.parametrize(
    "text",
    ["", "2024-08-02", "2024-08-02 09:30:00", "2024-08-02T09:30", "2024-08-02T24:00:00", "2024-08-32T09:30:00",
     "2024-08-02T09:30:00.0000", "2024-08-02T09:30:00Z", "2024-08-02T09:30:00-04:00", "20240802T093000",
     "2024-W31-5T09:30:00", "2024-08-02T09:30:00."],
)  # fmt: skip
def test_what_is_no_stamp_is_refused(text: str) -> None:
    """Also what is one elsewhere."""
    with pytest.raises(BadAnswer, match="is no time stamp"):
        fields.stamp(STAMP, text)


@pytest.mark.parametrize("text", [b"2024-W31-5T", b"20240802T", b"2024-08-02 ", b"2024-02-30T", b"\xff024-08-02T"])
def test_a_day_has_one_form(text: bytes) -> None:
    """Week dates are dates for Python, and would be printed back otherwise."""
    assert fields.day_number(text) is None
    assert fields.day_number(b"1970-01-02T") == 1


@pytest.mark.parametrize(
    "texts",
    [("2024-08-02", "0.000", "CALL"), ("2024-08-02", "-5.000", "CALL"), ("2024-08-02", "1.0005", "CALL"),
     ("2024-08-02", "1e999999", "CALL"), ("2024-08-02", "NaN", "PUT"), ("2024-08-02", "1_0", "PUT"),
     ("2024-08-02", "1000000", "PUT"), ("2024-08-32", "1.000", "PUT"), ("2024-08-02", "1.000", "BOTH"),
     ("2024-08-02", "٣", "PUT"), ("", "", "")],
)  # fmt: skip
def test_what_is_no_contract_is_refused(texts: tuple[str, str, str]) -> None:
    """A strike has at most three decimals and fits nine digits."""
    with pytest.raises(BadAnswer, match="not a contract"):
        parse_contract(list(texts))
