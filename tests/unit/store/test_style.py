"""Style remembers how an answer is printed."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.store.answers import EOD, HOURLY, LIVE, SPEC, Printer, chain, end_of_day, printers, quotes
from thetabulk.model import Contract, Right
from thetabulk.store.style import MOST_PLACES, Style, decimal_text, detect


def style_of(printer: Printer) -> Style:
    lines = [printer.line(HOURLY, row) for row in quotes(chain())]
    return detect(printer.header(HOURLY), lines, HOURLY.columns)


@given(st.integers(-(10**9), 10**9), st.integers(0, 6), st.integers(0, 6))
def test_decimals_are_printed_with_the_places_of_the_style(units: int, scale: int, places: int) -> None:
    """With more only where the value needs them, and always the value itself."""
    text = decimal_text(units, scale, places)
    assert Decimal(text) == Decimal(units).scaleb(-scale)
    needed = max(0, -int(Decimal(units).scaleb(-scale).normalize().as_tuple().exponent))
    assert len(text.partition(".")[2]) == max(places, needed if units else 0)


@given(printers())
def test_a_style_survives_the_footer(printer: Printer) -> None:
    """to_json and back is the same style."""
    style = style_of(printer)
    assert Style.from_json(style.to_json()) == style


@given(printers())
def test_the_style_of_an_answer_is_found(printer: Printer) -> None:
    """Quotes, decimals, fraction and line end, from the lines alone."""
    style = style_of(printer)
    assert style.quoted == tuple(name in printer.quoted for name in HOURLY.header)
    assert style.places[2] == printer.strike_places
    assert style.places[7] == style.places[11] == printer.places
    assert (style.line_end, style.fraction) == (printer.line_end, "fixed" if printer.fixed else "trimmed")


def test_the_majority_decides() -> None:
    """Three rows against two."""
    rows = quotes(chain())
    lines = [LIVE.line(HOURLY, row) for row in rows[:3]] + [SPEC.line(HOURLY, row) for row in rows[3:5]]
    assert detect(LIVE.header(HOURLY), lines, HOURLY.columns) == style_of(LIVE)


def test_trimmed_fractions_are_told_from_fixed_ones() -> None:
    """End-of-day stamps have three digits in both; midnight shows which it is."""
    for printer, fraction in ((LIVE, "fixed"), (SPEC, "trimmed")):
        lines = [printer.line(EOD, row) for row in end_of_day(chain())]
        assert detect(printer.header(EOD), lines, EOD.columns).fraction == fraction


def test_more_decimals_than_millionths_are_no_style() -> None:
    """Nothing could be read at once with them."""
    row = quotes(chain())[1]
    line = LIVE.line(HOURLY, row).replace(",0.45,", ",0.45000000,")
    assert detect("", [line], HOURLY.columns).places[7] == MOST_PLACES


def test_no_style_without_a_row() -> None:
    """Lines with another number of fields say nothing."""
    with pytest.raises(ValueError, match="no line has as many fields"):
        detect("", ["an,error,text\n", "\n"], HOURLY.columns)


def test_a_contract_is_printed_as_its_rows_begin() -> None:
    """The prefix of the vendor's own lines."""
    contract = Contract(date(2024, 8, 2), 455_500, Right.CALL)
    assert style_of(LIVE).contract_prefix("QQQ", contract) == '"QQQ","2024-08-02",455.500,"CALL",'
    assert style_of(SPEC).contract_prefix("QQQ", contract) == "QQQ,2024-08-02,455.500,CALL,"
    assert style_of(Printer(strike_places=0)).contract_prefix("QQQ", contract) == '"QQQ","2024-08-02",455.5,"CALL",'
