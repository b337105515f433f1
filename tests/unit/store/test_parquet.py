"""What is in a stored day's file, for those who read it with other programs and for ourselves."""

import json
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.store.answers import (
    DAY,
    EOD,
    HOURLY,
    LIVE,
    OPEN_INTEREST,
    SPEC,
    SYMBOL,
    Printer,
    Row,
    chain,
    end_of_day,
    open_interest,
    quotes,
)  # fmt: skip
from tests.unit.store.recorded import record
from thetabulk.model import Contract, Dataset
from thetabulk.store.contracts import Contracts
from thetabulk.store.footer import Footer
from thetabulk.store.recording import Manner
from thetabulk.store.rows import RowReader
from thetabulk.store.stored import contracts_in, kinds_in, read_footer, read_tables, stored_rows

PRICE = {"double": pa.float64(), "decimal": pa.decimal128(9, 2)}
STRIKE = {"double": pa.float64(), "decimal": pa.decimal128(9, 3)}
TYPES = {"timestamp": pa.timestamp("ms"), "size": pa.int32(), "code": pa.int16(), "count": pa.int64()}
ANSWERS = [(HOURLY, quotes(chain())), (OPEN_INTEREST, open_interest(chain())), (EOD, end_of_day(chain(), 2))]
ODD_BODY = (
    LIVE.body(HOURLY, quotes(chain(3)))
    .replace(b",0.45,", b",NaN,").replace(b",0.82,", b",0.825,").replace(b",1.19,", b",-Infinity,")
    .replace(b",1.56,", b",1e12,").replace(b",0.50,", b",0.5,").replace(b",0.55,", b",-0.55,")
)  # fmt: skip


@pytest.mark.parametrize("prices", ["double", "decimal"])
@pytest.mark.parametrize(("dataset", "rows"), ANSWERS, ids=lambda one: getattr(one, "name", ""))
def test_the_schema_is_as_promised(dataset: Dataset, rows: list[Row], prices: str, tmp_path: Path) -> None:
    """No symbol (it is in the path), naive stamps, and `_raw` last, empty in a day of one print style."""
    path = record(tmp_path, LIVE.body(dataset, rows), dataset, Manner(prices=prices)).path
    table = pq.read_table(path)
    wanted = {"expiration": pa.date32(), "strike": STRIKE[prices], "right": pa.string()}
    wanted |= {column.name: (TYPES | {"price": PRICE[prices]})[column.kind] for column in dataset.columns[4:]}
    assert {field.name: field.type for field in table.schema} == wanted | {"_raw": pa.string()}
    assert table.column_names[-1] == "_raw"
    assert {
        name: column.null_count for name, column in zip(table.column_names, table.columns, strict=True)
    } == dict.fromkeys(wanted, 0) | {"_raw": len(rows)}


@pytest.mark.parametrize("prices", ["double", "decimal"])
def test_the_values_are_those_of_the_answer(prices: str, tmp_path: Path) -> None:
    """Strikes in dollars, rights in capitals, prices that compare equal to their text."""
    rows = quotes(chain())
    found = pq.read_table(record(tmp_path, SPEC.body(HOURLY, rows), manner=Manner(prices=prices)).path).to_pylist()
    for row, one in zip(rows, found, strict=True):
        contract = row.contract
        assert (one["expiration"], one["right"]) == (contract.expiration, contract.right.upper())
        assert one["strike"] * 1000 == contract.strike_mills
        for index, column in enumerate(HOURLY.columns[4:]):
            value = row.values[index]
            assert one[column.name] == (float(value) if isinstance(value, Decimal) and prices == "double" else value)


def test_other_programs_read_the_folder_without_any_option(tmp_path: Path) -> None:
    """pyarrow, DuckDB and Polars, with symbol and year from the path."""
    folder = tmp_path / "symbol=QQQ" / "year=2024"
    folder.mkdir(parents=True)
    record(tmp_path, LIVE.body(HOURLY, quotes(chain()))).path.rename(folder / "one.parquet")
    record(tmp_path, ODD_BODY).path.rename(folder / "two.parquet")
    rows = 7 * (4 + 6)
    assert pads.dataset(tmp_path, partitioning="hive").to_table().num_rows == rows
    pattern = f"{tmp_path}/**/*.parquet"
    query = f"select symbol, year, count(*), sum(bid_size), max(timestamp) from '{pattern}' group by all"
    found = duckdb.connect().execute(query).fetchall()
    assert found == [("QQQ", 2024, rows, 21 * (10 + 21), datetime.fromisoformat("2024-08-02T15:30:00"))]
    frame = pl.read_parquet(tmp_path)
    assert frame.shape == (rows, 9 + 4 + 2)
    assert frame["timestamp"].dtype == pl.Datetime("ms")


@pytest.mark.parametrize("prices", ["double", "decimal"])
@pytest.mark.parametrize(("dataset", "rows"), ANSWERS, ids=lambda one: getattr(one, "name", ""))
def test_the_same_answer_gives_the_same_file(dataset: Dataset, rows: list[Row], prices: str, tmp_path: Path) -> None:
    """Byte by byte, in whatever pieces it came: nothing depends on clock, chance or network."""
    body = LIVE.body(dataset, rows)
    manner = Manner(prices=prices, row_group_rows=10)
    assert len({record(tmp_path, body, dataset, manner, piece=piece).placed.sha256 for piece in (7, 300, 1 << 20)}) == 1


def test_row_groups_are_full(tmp_path: Path) -> None:
    """Whatever the pieces; the last one has what is left."""
    path = record(tmp_path, LIVE.body(HOURLY, quotes(chain())), manner=Manner(row_group_rows=12), piece=200).path
    metadata = pq.read_metadata(path)
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == [12, 12, 4]


def test_odd_prices_are_values_where_a_column_can_hold_them(tmp_path: Path) -> None:
    """A double holds them all. A decimal holds none that is no number or out of range, and is empty there."""
    lines = {
        prices: pq.read_table(record(tmp_path, ODD_BODY, manner=Manner(prices=prices)).path).to_pylist()
        for prices in ("double", "decimal")
    }
    at = [1, 8, 15, 22, 2]
    assert [lines["double"][row]["bid"] for row in at[1:]] == [0.825, -np.inf, 1e12, 0.5]
    assert np.isnan(lines["double"][1]["bid"])
    assert [lines["decimal"][row]["bid"] for row in at] == [None, None, None, None, Decimal("0.50")]
    assert [lines["double"][row]["_raw"] is None for row in (*at, 3)] == [False] * 5 + [True]
    assert lines["decimal"][3]["bid"] == Decimal("-0.55")


def test_a_decimal_of_more_places_than_the_style_has_is_kept_where_it_fits(tmp_path: Path) -> None:
    """The answer is printed with one decimal, all but a price; the column has two in any case."""
    body = Printer(places=1).body(HOURLY, quotes(chain())).replace(b",0.5,50", b",0.25,50", 1)
    table = pq.read_table(record(tmp_path, body, manner=Manner(prices="decimal")).path)
    assert Decimal("0.25") in table["ask"].to_pylist()
    assert (table["ask"].null_count, table["_raw"].null_count) == (0, 27)


@pytest.mark.parametrize("prices", ["double", "decimal"])
def test_stored_rows_are_those_that_were_written(prices: str, tmp_path: Path) -> None:
    """Odd prices included: late disorder reads row groups back, and nothing may be lost by it."""
    path = record(tmp_path, ODD_BODY, manner=Manner(prices=prices, row_group_rows=5)).path
    reader = RowReader(HOURLY, SYMBOL, DAY)
    assert reader.feed(ODD_BODY) is None
    wanted = reader.finish()
    assert wanted is not None
    contracts = Contracts()
    (found,) = stored_rows(path, HOURLY, contracts, reader.style)
    assert contracts.listed == reader.contracts.listed == contracts_in(path)
    assert found.contract.tolist() == wanted.contract.tolist()
    assert {name: values.tolist() for name, values in found.values.items()} == {
        name: values.tolist() for name, values in wanted.values.items()
    }
    assert found.raw == wanted.raw
    assert str(found.odd) == str(wanted.odd)


def test_the_footer_says_what_the_file_is(tmp_path: Path) -> None:
    """Enough to know the file without its name, and to print it."""
    done = record(tmp_path, SPEC.body(HOURLY, quotes(chain())))
    footer = read_footer(done.path)
    assert (footer.dataset, footer.symbol, footer.day, footer.request) == (
        HOURLY.name, SYMBOL, "2024-08-02", "the request",
    )  # fmt: skip
    assert (footer.rows, footer.contracts, footer.content) == (28, 4, done.weighed.content)
    assert (footer.vendor_bytes, footer.vendor_xxh3) == (done.weighed.vendor_bytes, done.weighed.vendor_xxh3)
    assert Footer.from_json(footer.to_json()) == footer
    plain = json.loads(pq.read_metadata(done.path).metadata[b"thetabulk"])
    assert (plain["version"], plain["times"]) == (1, "New York wall clock")
    assert plain["style"]["header"].endswith("ask_condition\r\n")


def test_a_strange_file_is_told(tmp_path: Path) -> None:
    """ValueError for a file that is not ours; a missing one is the drive's business, not the file's."""
    strange = tmp_path / "strange"
    strange.write_bytes(b"PAR1 and so on PAR1")
    with pytest.raises(ValueError, match="unreadable"):
        read_footer(strange)
    pq.write_table(pa.table({"a": [1]}), strange)
    with pytest.raises(ValueError, match="not written by thetabulk"):
        read_footer(strange)
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({b"thetabulk": b'{"order": ""}'}), strange)
    with pytest.raises(ValueError, match="footer"):
        read_footer(strange)
    with pytest.raises(FileNotFoundError):
        read_footer(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        next(read_tables(tmp_path / "missing", kinds_in(HOURLY)))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day to damage, with odd rows in it."""
    return record(tmp_path_factory.mktemp("day"), ODD_BODY, manner=Manner(row_group_rows=16)).path


@settings(max_examples=100, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 255))
def test_damage_is_told_as_damage(stored: Path, place: float, flip: int) -> None:
    """A flipped byte or a cut file (flip 0) reads as some rows or as ValueError, never as another kind of failure."""
    content = bytearray(stored.read_bytes())
    at = int(place * len(content))
    if flip:
        content[at] ^= flip
    else:
        del content[at:]
    damaged = stored.with_name("damaged")
    damaged.write_bytes(content)
    with suppress(ValueError):
        footer = read_footer(damaged)
        list(stored_rows(damaged, HOURLY, Contracts(), footer.style))
    with suppress(ValueError):
        contracts_in(damaged)


@pytest.mark.parametrize("at", [0, 1, 2, 3, -4, -3, -2, -1])
def test_a_flip_in_either_magic_word_is_damage(stored: Path, at: int) -> None:
    """Arrow does not look at the first one, DuckDB and Spark do: a file that we take is one that everybody can read."""
    content = bytearray(stored.read_bytes())
    content[at] ^= 1
    damaged = stored.with_name("damaged")
    damaged.write_bytes(content)
    for read in (read_footer, contracts_in, lambda path: list(read_tables(path, kinds_in(HOURLY)))):
        with pytest.raises(ValueError, match="unreadable"):
            read(damaged)


def test_contracts_are_found_without_reading_the_rest(tmp_path: Path) -> None:
    """In the order of the file."""
    contracts = [Contract(date(2024, 8, 9), 100_000, one.right) for one in chain(1)] + chain(2)
    path = record(tmp_path, LIVE.body(HOURLY, quotes(contracts)), manner=Manner(row_group_rows=9)).path
    assert contracts_in(path) == contracts
