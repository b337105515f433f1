"""The data folder is a table for every engine: what works with zero options, and the published glob where that is not
enough. macOS leaves `._` twins beside files on exFAT; they are planted here. The engines are imported where they are
used: together they take seconds, in every worker that collects this file."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration import stores
from tests.integration.commands import thetabulk
from tests.integration.serving import Served

if TYPE_CHECKING:
    import pandas as pd

Simulate = Callable[..., Served]
TWIN = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(4056)
GLOB = "**/[!.]*.parquet"


@dataclass(frozen=True)
class Table:
    """A data folder, and what is in it: rows by symbol and year, and one quote as the vendor's CSV tells it."""

    folder: Path
    rows: dict[tuple[str, int], int]
    contract: tuple[date, float, str]
    moment: datetime
    bid: float

    @property
    def total(self) -> int:
        return sum(self.rows.values())


@pytest.fixture
def table(simulator: Simulate, tmp_path: Path) -> Table:
    """Two symbols, two years, three days; `plant` puts the twins there."""
    return recorded(simulator(), tmp_path / "s")


def recorded(terminal: Served, store: Path, *selection: str) -> Table:
    where: tuple[str | Path, ...] = ("--interval", "1h", "--store", store, *selection)
    days = ("--from", "2023-12-29", "--to", "2024-01-03")
    assert thetabulk("download", "QQQ", "SPY", *days, "--url", terminal.url, *where).code == 0
    rows: dict[tuple[str, int], int] = {}
    for entry in stores.ledger(store):
        if entry["kind"] == "day":
            key = entry["symbol"], int(entry["day"][:4])
            rows[key] = rows.get(key, 0) + entry["rows"]
    told = thetabulk("export", "SPY", "--day", "2024-01-03", *where).out.decode().splitlines()
    one = next(row for row in csv.DictReader(told) if float(row["bid"]) > 1)
    contract = date.fromisoformat(one["expiration"]), float(one["strike"]), one["right"]
    [folder] = [path for path in (store / "option" / "quote").iterdir() if path.is_dir()]
    return Table(folder, rows, contract, datetime.fromisoformat(one["timestamp"]), float(one["bid"]))


def plant(folder: Path) -> None:
    for file in list(folder.rglob("*.parquet")):
        file.with_name(f"._{file.name}").write_bytes(TWIN)


def assert_whole(frame: "pd.DataFrame", table: Table) -> None:
    """Every row, under its symbol and year, and the quote."""
    frame = frame.astype({"symbol": str, "year": int, "expiration": str})
    assert frame.groupby(["symbol", "year"]).size().to_dict() == table.rows
    expiration, strike, right = table.contract
    one = frame[
        (frame.symbol == "SPY") & (frame.timestamp == table.moment) & (frame.strike == strike) & (frame.right == right)
        & (frame.expiration.str[:10] == expiration.isoformat())
    ]  # fmt: skip
    assert one.bid.tolist() == [table.bid]


def test_pandas_reads_the_folder_with_zero_options(table: Table) -> None:
    """With symbol and year, twins or not."""
    import pandas as pd

    plant(table.folder)
    assert_whole(pd.read_parquet(table.folder), table)


def test_pyarrow_reads_the_folder_with_zero_options(table: Table) -> None:
    """`read_table` with symbol and year; a dataset with all rows, and with those columns if it is told `hive`."""
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    plant(table.folder)
    assert_whole(pq.read_table(table.folder).to_pandas(), table)
    plain = ds.dataset(table.folder)
    assert plain.count_rows() == table.total
    assert not {"symbol", "year"} & set(plain.schema.names)
    assert_whole(ds.dataset(table.folder, partitioning="hive").to_table().to_pandas(), table)


def test_polars_reads_the_folder_with_zero_options(table: Table) -> None:
    """With symbol and year. It takes a twin for a file, and then wants the glob."""
    import polars as pl

    assert_whole(pl.scan_parquet(table.folder).collect().to_pandas(), table)
    plant(table.folder)
    with pytest.raises(pl.exceptions.ComputeError):
        pl.scan_parquet(table.folder).collect()
    told = pl.scan_parquet(f"{table.folder}/{GLOB}")
    assert told.select(pl.len()).collect().item() == table.total
    assert_whole(pl.scan_parquet(f"{table.folder}/{GLOB}", hive_partitioning=True).collect().to_pandas(), table)


def duckdb_frame(source: str) -> "pd.DataFrame":
    import duckdb

    return duckdb.execute(f"select * from '{source}'").df()


def test_duckdb_reads_a_glob_with_zero_options(table: Table) -> None:
    """With symbol and year. `*` takes the twins too, `[!.]*` does not."""
    import duckdb

    assert_whole(duckdb_frame(f"{table.folder}/**/*.parquet"), table)
    plant(table.folder)
    with pytest.raises(duckdb.Error):
        duckdb_frame(f"{table.folder}/**/*.parquet")
    assert_whole(duckdb_frame(f"{table.folder}/{GLOB}"), table)


@pytest.mark.parametrize(
    ("selection", "folder", "columns"),
    [
        (("--max-dte", "9"), "1h~max_dte=9", ["1h~max_dte", "symbol", "year"]),
        (("--max-dte", "9", "--right", "call"), "1h~max_dte=9,right=call", ["symbol", "year"]),
    ],
)
def test_a_selection_is_a_folder_of_its_own(
    selection: tuple[str, ...], folder: str, columns: list[str], simulator: Simulate, tmp_path: Path
) -> None:
    """The engines read it as any other. DuckDB takes `1h~max_dte=9` on the way for a key, and shows one column more."""
    import pandas as pd
    import polars as pl
    import pyarrow.dataset as ds

    table = recorded(simulator(), tmp_path / "s", *selection)
    assert table.folder.name == folder
    plant(table.folder)
    assert_whole(pd.read_parquet(table.folder), table)
    assert ds.dataset(table.folder).count_rows() == table.total
    assert pl.scan_parquet(f"{table.folder}/{GLOB}").select(pl.len()).collect().item() == table.total
    found = duckdb_frame(f"{table.folder}/{GLOB}")
    assert_whole(found, table)
    assert found.columns[-len(columns) :].tolist() == columns
