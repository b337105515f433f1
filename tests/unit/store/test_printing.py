"""Whatever was accepted prints back as it was received, byte for byte."""

from contextlib import suppress
from pathlib import Path

import pytest
import xxhash
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.store.answers import EOD, HOURLY, LIVE, SPEC, Printer, chain, end_of_day, printers, quotes
from tests.unit.store.recorded import record
from thetabulk.errors import BadAnswer
from thetabulk.model import Dataset
from thetabulk.store.printing import printed_xxh3, vendor_csv
from thetabulk.store.recording import Manner

law = settings(max_examples=40, deadline=None)
manners = st.builds(
    Manner, prices=st.sampled_from(["double", "decimal"]), row_group_rows=st.integers(1, 40), level=st.just(1)
)


def printed(root: Path, body: bytes, dataset: Dataset, manner: Manner, piece: int = 500) -> bytes:
    return b"".join(vendor_csv(record(root, body, dataset, manner, piece=piece).path, dataset))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("printing")


@law
@given(st.data(), printers(), manners, st.integers(100, 9000))
def test_an_answer_of_any_style_and_order_prints_back(
    root: Path, data: st.DataObject, printer: Printer, manner: Manner, piece: int
) -> None:
    """Rows in any order, some of them twice or missing, in stores of both kinds of prices."""
    rows = quotes(chain(2))
    order = data.draw(st.one_of(st.permutations(rows), st.lists(st.sampled_from(rows), min_size=1, max_size=40)))
    body = printer.body(HOURLY, order)
    assert printed(root, body, HOURLY, manner, piece) == body


@law
@given(st.data(), printers(EOD), manners)
def test_end_of_day_prints_back(root: Path, data: st.DataObject, printer: Printer, manner: Manner) -> None:
    """Two stamps a row, one of them at midnight; builds together or apart."""
    body = printer.body(EOD, data.draw(st.permutations(end_of_day(chain(2), 2))))
    assert printed(root, body, EOD, manner) == body


BODY = LIVE.body(HOURLY, quotes(chain(1)))
FIELDS = st.text('0123456789.-+eNaIf "\r', max_size=10)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 13), st.integers(1, 12), FIELDS, manners)
@example(3, 7, "-0.00", Manner(prices="decimal"))
@example(3, 7, "10000000", Manner(prices="decimal"))
@example(3, 7, "9999999.99", Manner(prices="decimal"))
@example(3, 7, "1e-7", Manner())
@example(3, 12, "50\r", Manner())
@example(13, 12, "50\r", Manner())
@example(3, 4, "2024-08-02T11:30:00.00", Manner())
def test_a_field_of_any_text_is_refused_or_prints_back(
    root: Path, row: int, index: int, text: str, manner: Manner
) -> None:
    """Whatever else it means: nothing is accepted that is not remembered."""
    lines = BODY.decode().splitlines(keepends=True)
    fields = lines[row + 1].removesuffix("\n").split(",")
    fields[index] = text
    lines[row + 1] = ",".join(fields) + "\n"
    body = "".join(lines).encode()
    with suppress(BadAnswer):
        assert printed(root, body, HOURLY, manner) == body


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(BODY) - 1), st.integers(0, 255), manners)
def test_an_answer_with_any_byte_changed_is_refused_or_prints_back(
    root: Path, place: int, byte: int, manner: Manner
) -> None:
    """And if its values are still those of the answer, then a line has kept its text."""
    body = BODY[:place] + bytes([byte]) + BODY[place + 1 :]
    try:
        done = record(root, body, HOURLY, manner)
    except BadAnswer:
        return
    assert b"".join(vendor_csv(done.path, HOURLY)) == body
    if body != BODY and done.weighed.content == record(root, BODY).weighed.content:
        assert "rows are printed unlike the others" in "".join(done.weighed.remarks)


@pytest.mark.parametrize("printer", [LIVE, SPEC])
def test_the_hash_of_the_print_is_the_hash_of_the_body(tmp_path: Path, printer: Printer) -> None:
    """What `verify --deep` compares."""
    body = printer.body(HOURLY, quotes(chain()))
    done = record(tmp_path, body)
    assert printed_xxh3(done.path, HOURLY) == xxhash.xxh3_128_hexdigest(body) == done.weighed.vendor_xxh3
