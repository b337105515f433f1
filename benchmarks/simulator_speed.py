"""How fast the simulator is, and how much its days compress.

    python benchmarks/simulator_speed.py [--small]

Prints megabytes (10⁶ bytes) a second: generated in this process, generated and sent over HTTP by a simulator process
of its own, and sent again from its memory; then bytes a row as CSV and as Parquet with the store's encodings, and what
DuckDB makes of the same CSV. Goals: 50 MB/s generated, 200 MB/s from memory; Parquet 1/12 to 1/16 of the CSV.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import csv, parquet

from thetabulk.simulator.answers import Library
from thetabulk.simulator.lines import LIVE
from thetabulk.simulator.queries import Query, parse

TODAY = date(2026, 1, 2)
PATH = "/v3/option/history/quote"
DAYS = ("2017-06-15", "2024-01-02")
SIZES, PRICES = ("bid_size", "ask_size"), ("bid", "ask")
MEGA = 1_000_000


def query_of(day: str) -> Query:
    params = {"symbol": "QQQ", "expiration": "*", "date": day, "interval": "1m"}
    return parse(PATH, params, TODAY)


def generate(day: str, small: bool, file: Path) -> tuple[int, int, float]:
    """Writes a day as CSV. Returns its bytes, its contracts, and the seconds of generating alone."""
    query = query_of(day)
    library = Library(1, small, LIVE, TODAY)
    next(library.blocks(query, query.first))  # tables that a seed makes once
    contracts = size = 0
    spent = 0.0
    with file.open("wb") as out:
        out.write(LIVE.header(query.endpoint.columns))
        blocks = library.blocks(query, query.first)
        while True:
            began = time.perf_counter()
            block = next(blocks, None)
            spent += time.perf_counter() - began
            if block is None:
                return size, contracts, spent
            out.write(block[1])
            size += len(block[1])
            contracts += 1


def receive(port: int, day: str) -> tuple[int, float]:
    """One GET over a plain socket, thrown away. Returns bytes and seconds."""
    request = (
        f"GET {PATH}?symbol=QQQ&expiration=*&date={day}&interval=1m HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    began, size = time.perf_counter(), 0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request.encode())
        buffer = bytearray(1 << 20)
        while received := connection.recv_into(buffer):
            size += received
    return size, time.perf_counter() - began


def over_http(day: str, size: str) -> tuple[float, float]:
    """Megabytes a second: the first time, and from the simulator's memory (the best of three)."""
    command = [sys.executable, "-m", "thetabulk.simulator", "--port", "0", "--size", size]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("Starting server at "))
        port = int(line.rpartition(":")[2])
        receive(port, "2024-01-03")  # tables that a seed makes once
        runs = [receive(port, day) for _ in range(4)]
        process.terminate()
    rates = [size / seconds / MEGA for size, seconds in runs]
    return rates[0], max(rates[1:])


def parquet_bytes(file: Path, prices: str) -> tuple[int, int]:
    """Bytes and rows of the CSV as Parquet, encoded as the store does it."""
    price, strike = (pa.decimal128(9, 2), pa.decimal128(9, 3)) if prices == "decimal" else (pa.float64(), pa.float64())
    text = pa.dictionary(pa.int32(), pa.string())
    types = {
        "symbol": text,
        "right": text,
        "expiration": pa.date32(),
        "strike": strike,
        "timestamp": pa.timestamp("ms"),
    }
    types |= dict.fromkeys(PRICES, price) | dict.fromkeys(SIZES, pa.int32())
    types |= {f"{side}_{code}": pa.int16() for side in PRICES for code in ("exchange", "condition")}
    table = csv.read_csv(file, convert_options=csv.ConvertOptions(column_types=types)).unify_dictionaries()
    table = table.drop_columns(["symbol"])
    encoded = {"timestamp": "DELTA_BINARY_PACKED", **dict.fromkeys(SIZES, "BYTE_STREAM_SPLIT")}
    encoded |= dict.fromkeys(PRICES, "DELTA_BINARY_PACKED") if prices == "decimal" else {}
    to = file.with_suffix(f".{prices}.parquet")
    parquet.write_table(
        table, to, compression="zstd", compression_level=3, store_decimal_as_integer=True, row_group_size=1 << 20,
        use_dictionary=[name for name in table.column_names if name not in encoded], column_encoding=encoded,
    )  # fmt: skip
    return to.stat().st_size, table.num_rows


def duckdb_bytes(file: Path) -> int:
    to = file.with_suffix(".duckdb.parquet")
    duckdb.sql(f"COPY (FROM read_csv('{file}')) TO '{to}' (FORMAT parquet, COMPRESSION zstd)")
    return to.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description="The simulator's speed and what its days compress to.")
    parser.add_argument("--small", action="store_true", help="a few dozen contracts a day instead of thousands")
    small = parser.parse_args().small
    with tempfile.TemporaryDirectory() as folder:
        for day in DAYS:
            file = Path(folder) / f"{day}.csv"
            size, contracts, spent = generate(day, small, file)
            first, cached = over_http(day, "small" if small else "real")
            decimal, rows = parquet_bytes(file, "decimal")
            double, _ = parquet_bytes(file, "double")
            other = duckdb_bytes(file)
            print(f"QQQ {day}: {contracts:,} contracts, {rows:,} rows, {size / MEGA:,.1f} MB")
            print(f"  generated {size / spent / MEGA:,.0f} MB/s, over HTTP {first:,.0f}, from memory {cached:,.0f}")
            for name, stored in (("CSV", size), ("decimal", decimal), ("double", double), ("DuckDB COPY", other)):
                print(f"  {name:12} {stored / rows:6.2f} bytes a row, 1/{size / stored:.1f}")


if __name__ == "__main__":
    main()
