"""RowReader takes exactly the answer to our request, and reads it alike however it arrives."""

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.store.answers import (
    DAY,
    EOD,
    HOURLY,
    HOURS,
    LIVE,
    OPEN_INTEREST,
    SPEC,
    SYMBOL,
    Printer,
    Row,
    chain,
    end_of_day,
    open_interest,
    pieces,
    printers,
    quotes,
)  # fmt: skip
from thetabulk.errors import BadAnswer
from thetabulk.model import Collection, Contract, Dataset, Proof, Shard
from thetabulk.plan.datasets import grid_of
from thetabulk.store.rows import KEY_COLUMNS, STYLE_LINES, RowReader, Rows
from thetabulk.store.style import Style
from thetabulk.store.weighing import Weighed, Weighing

law = settings(max_examples=30, deadline=None)


@dataclass(frozen=True)
class Everything:
    """What a reader has read in all."""

    contracts: list[Contract]
    values: dict[str, list[int]]
    odd: dict[int, dict[str, Decimal]]
    raw: dict[int, str]
    style: Style


def read(bodies: list[bytes], dataset: Dataset = HOURLY, *, extra_columns: bool = False) -> Everything:
    reader = RowReader(dataset, SYMBOL, DAY, extra_columns=extra_columns)
    found = [rows for rows in (*(reader.feed(body) for body in bodies), reader.finish()) if rows is not None]
    ahead = np.cumsum([0, *(len(rows) for rows in found)]).tolist()
    assert reader.lines == ahead[-1]
    return Everything(
        [reader.contracts[number] for rows in found for number in rows.contract.tolist()],
        {name: [value for rows in found for value in rows.values[name].tolist()] for name in found[0].values},
        {row + shift: odd for rows, shift in zip(found, ahead, strict=False) for row, odd in rows.odd.items()},
        {row + shift: text for rows, shift in zip(found, ahead, strict=False) for row, text in rows.raw.items()},
        reader.style,
    )


def refused(body: bytes, dataset: Dataset = HOURLY) -> BadAnswer:
    with pytest.raises(BadAnswer) as told:
        read([body], dataset)
    return told.value


def expected_values(dataset: Dataset, rows: list[Row], printer: Printer) -> dict[str, list[int]]:
    """The rows as the reader should give them."""
    found: dict[str, list[int]] = {}
    for index, column in enumerate(dataset.columns[KEY_COLUMNS:]):
        values = [row.values[index] for row in rows]
        if column.kind == "timestamp":
            stamps = np.array(values, dtype="datetime64[ms]").astype(np.int64)
            found[column.name] = stamps.tolist()
        elif column.kind == "price":
            found[column.name] = [int(Decimal(str(value)).scaleb(printer.places)) for value in values]
        else:
            found[column.name] = [int(str(value)) for value in values]
    return found


@law
@given(printers(), st.integers(1, 4), st.integers(1, 40))
def test_every_style_is_read(printer: Printer, expirations: int, strikes: int) -> None:
    """Contracts and values are those that were printed, and no line of one style keeps its text."""
    rows = quotes(chain(strikes, expirations))
    seen = read([printer.body(HOURLY, rows)])
    assert seen.contracts == [row.contract for row in rows]
    assert seen.values == expected_values(HOURLY, rows, printer)
    if printer.strike_places > 0:
        assert not seen.raw
    assert seen.style.final_newline == printer.final_newline


@pytest.mark.parametrize(("dataset", "rows"), [(EOD, end_of_day(chain(), 2)), (OPEN_INTEREST, open_interest(chain()))])
@pytest.mark.parametrize("printer", [LIVE, SPEC])
def test_answers_without_a_grid_are_read(dataset: Dataset, rows: list[Row], printer: Printer) -> None:
    """Odd seconds, fractions of any length, stamps at midnight."""
    seen = read([printer.body(dataset, rows)], dataset)
    assert seen.values == expected_values(dataset, rows, printer)
    assert not seen.raw


ODD_LINES = [
    lambda line: line.replace('"', "").replace("QQQ", '"QQQ"'),
    lambda line: line.replace("\r\n", "\n") if "\r" in line else line.replace("\n", "\r\n"),
    lambda line: line.replace(",50,", ",+50,", 1),
    lambda line: line.replace(",50,", ", 50,", 1),
    lambda line: line.replace(",42,", ",NaN,", 1) if ",NaN," in line else line.replace("CALL", "C"),
    lambda line: re.sub(r"\b0\.45\d*", "1e300", re.sub(r"\b0\.77\d*", "0.775", line)),
    lambda line: line.replace("T09:30:00.000", "T09:30:00").replace("T15:30:00,", "T15:30:00.0,"),
]


@st.composite
def odd_bodies(draw: st.DrawFn) -> bytes:
    """A day in some style, with some lines printed in others."""
    printer = draw(printers())
    rows = quotes(chain(draw(st.sampled_from([1, 3, 21]))))
    lines = [printer.line(HOURLY, row) for row in rows]
    for index in draw(st.lists(st.integers(0, len(lines) - 1), max_size=9)):
        lines[index] = draw(st.sampled_from(ODD_LINES))(lines[index])
    body = printer.header(HOURLY) + "".join(lines)
    return (body if printer.final_newline else body.removesuffix("\n").removesuffix("\r")).encode()


@law
@given(odd_bodies(), st.lists(st.integers(0, 40_000), max_size=8))
def test_the_pieces_in_which_an_answer_arrives_decide_nothing(body: bytes, cuts: list[int]) -> None:
    """Values, texts kept and style are the same in one piece and in any others; otherwise files would differ."""
    places = sorted({0, *(cut % len(body) for cut in cuts), len(body)})
    cut_up = [body[start:end] for start, end in pairwise(places)]
    assert read(cut_up) == read([body]) == read(pieces(body, 97))


def test_the_style_is_that_of_the_first_lines_together() -> None:
    """Even if they come one by one: the first line alone is printed unlike the others."""
    rows = quotes(chain(40))
    assert len(rows) > STYLE_LINES
    lines = [SPEC.line(HOURLY, rows[0]), *(LIVE.line(HOURLY, row) for row in rows[1:])]
    seen = read([line.encode() for line in (LIVE.header(HOURLY), *lines)])
    assert list(seen.raw) == [0]


def test_long_fields_are_read_slowly_and_keep_no_text_if_canonical() -> None:
    """More than eight characters do not fit the fast path's word, and print back all the same."""
    row = quotes(chain())[1]
    far = row.but(1, 1_234_567_890).but(3, Decimal("9999999.99")).but(7, Decimal("1000000.00"))
    seen = read([LIVE.body(HOURLY, [row, far])])
    assert not seen.raw
    assert not seen.odd
    assert (seen.values["bid_size"][1], seen.values["bid"][1], seen.values["ask"][1]) == (
        1_234_567_890, 999_999_999, 100_000_000,
    )  # fmt: skip


def test_more_decimals_than_the_style_allows_are_not_taken_for_it() -> None:
    """Seven decimals are cut to millionths in the style; a field of six must not be read as one of seven."""
    row = quotes(chain())[1]
    lines = [LIVE.line(HOURLY, row).replace(",0.45,", f",{price},") for price in ("1.2345670", "1.2345670", "1.234567")]
    seen = read([(LIVE.header(HOURLY) + "".join(lines)).encode()])
    assert seen.values["bid"] == [1_234_567] * 3
    assert sorted(seen.raw) == [0, 1]


def test_negative_values_are_read_and_print_back() -> None:
    """A sign is part of the canonical text."""
    row = quotes(chain())[1].but(3, Decimal("-1.05")).but(1, -7)
    seen = read([LIVE.body(HOURLY, [row, row])])
    assert (seen.values["bid"], seen.values["bid_size"], seen.raw) == ([-105] * 2, [-7] * 2, {})


@law
@given(st.integers(0, 27), st.sampled_from(["QQQM", "qqq", "Q", "", "QQQ "]), st.sampled_from([LIVE, SPEC]))
def test_another_symbol_in_any_row_is_refused(row: int, symbol: str, printer: Printer) -> None:
    """Never kept: another symbol's row among ours."""
    lines = [printer.line(HOURLY, one) for one in quotes(chain())]
    lines[row] = lines[row].replace("QQQ", symbol, 1)
    error = refused((printer.header(HOURLY) + "".join(lines)).encode())
    assert (error.kind, f"line {row + 2} " in str(error)) == ("symbol", True)


@law
@given(st.integers(0, 27), st.integers(-400, 400).filter(bool), st.sampled_from([LIVE, SPEC]))
def test_another_day_in_any_row_is_refused(row: int, days: int, printer: Printer) -> None:
    """Yesterday's row among today's."""
    rows = quotes(chain())
    lines = [printer.line(HOURLY, one) for one in rows]
    lines[row] = printer.line(HOURLY, quotes([rows[row].contract], HOURS[:1], DAY + timedelta(days=days))[0])
    error = refused((printer.header(HOURLY) + "".join(lines)).encode())
    assert (error.kind, f"line {row + 2}: " in str(error)) == ("day", True)


def test_a_last_trade_on_another_day_is_a_value() -> None:
    """Only the day column must be today's."""
    row = end_of_day(chain())[0]
    other = row.but(1, row.values[1] - timedelta(days=3))  # type: ignore[operator]
    assert not read([SPEC.body(EOD, [other])], EOD).raw
    assert read([SPEC.body(EOD, [other])], EOD).values["last_trade"][0] % 86_400_000 > 0
    assert refused(SPEC.body(EOD, [row.but(0, row.values[0] - timedelta(days=3))]), EOD).kind == "day"  # type: ignore[operator]


def weigh(body: bytes, dataset: Dataset, listed: frozenset[Contract]) -> Weighed | None:
    """None if it is refused."""
    shard = Shard(Collection(dataset.name, "", SYMBOL), DAY)
    weighing = Weighing(shard, dataset, grid_of(dataset, half_day=False))
    try:
        weighing.feed(body)
        weighing.finish()
    except BadAnswer:
        return None
    return weighing.weigh(listed, "")


@pytest.mark.parametrize("printer", [LIVE, SPEC])
@pytest.mark.parametrize(
    ("dataset", "rows"),
    [(HOURLY, quotes(chain(1))), (OPEN_INTEREST, open_interest(chain(8))), (EOD, end_of_day(chain(1), 2))],
    ids=["quote", "open_interest", "eod"],
)
def test_an_answer_cut_anywhere_is_refused_or_found_lacking(
    printer: Printer, dataset: Dataset, rows: list[Row]
) -> None:
    """At every byte. Only where no more than the last line end is missing is it taken, and even then with a remark.

    Of open interest it is normal that contracts are absent: a few of them are remarked, and the day is not proven.
    """
    body = printer.body(dataset, rows)
    listed = frozenset(row.contract for row in rows)
    whole = weigh(body, dataset, listed)
    assert whole is not None
    for cut in range(len(body) - len(printer.line_end)):
        seen = weigh(body[:cut], dataset, listed)
        if seen is not None:
            told = seen.remarks if dataset.sparse else seen.findings.lacking + seen.findings.surplus
            assert told, body[cut - 40 : cut]
            assert seen.content != whole.content
            assert seen.proof is not Proof.FULL
    for cut in range(len(body) - len(printer.line_end), len(body)):
        seen = weigh(body[:cut], dataset, listed)
        assert seen is not None
        assert seen.content == whole.content
        assert "the last row has no line end" in "".join(seen.remarks)


def test_an_error_page_is_refused_at_once() -> None:
    """Not after it has grown to a day's size."""
    reader = RowReader(HOURLY, SYMBOL, DAY)
    with pytest.raises(BadAnswer, match="not the answer to our request"):
        reader.feed(b"<html>\n")


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    """Zeros for ever have no line end."""
    for start in (b"", LIVE.body(HOURLY, quotes(chain()))):
        reader = RowReader(HOURLY, SYMBOL, DAY)
        reader.feed(start)
        with pytest.raises(BadAnswer, match="a line of more than"):
            for _ in range(20):
                reader.feed(bytes(5000))


def test_a_changed_header_is_told_by_its_columns() -> None:
    """So that the message names what the vendor has changed."""
    body = LIVE.body(HOURLY, quotes(chain()))
    assert "without bid and with new best_bid" in str(refused(body.replace(b"bid,", b"best_bid,", 1)))
    assert "another order" in str(refused(body.replace(b"bid,", b"ask,", 1).replace(b",ask,ask_c", b",bid,ask_c", 1)))
    assert "with new \\x1b" not in str(refused(body.replace(b"bid,", b"\x1b[31m,", 1)))


def test_appended_columns_are_kept_with_the_line_where_they_are_allowed() -> None:
    """Every line keeps its text; what is wrong with one is told by its number."""
    body = LIVE.body(HOURLY, quotes(chain())).replace(b"\n", b",x\n")
    seen = read(pieces(body, 500), extra_columns=True)
    assert list(seen.raw) == list(range(28))
    assert seen.values == read([LIVE.body(HOURLY, quotes(chain()))]).values
    with pytest.raises(BadAnswer, match="line 29: ask is no price"):
        read([body.replace(b",1.83,50,x", b",1.8x,50,x")], extra_columns=True)


def test_rows_are_counted() -> None:
    """len() is what a progress line shows."""
    reader = RowReader(HOURLY, SYMBOL, DAY)
    assert reader.feed(LIVE.body(HOURLY, quotes(chain(20)))) is not None
    assert isinstance(rows := reader.feed(LIVE.line(HOURLY, quotes(chain())[0]).encode()), Rows)
    assert len(rows) == 1
    assert reader.finish() is None
