"""What people do by hand: CSV files to Parquet with DuckDB.

python -m benchmarks.duckdb_copy THREADS CSV PARQUET [CSV PARQUET]…
"""

import sys

import duckdb


def main(threads: int, *paths: str) -> None:
    """Converts each CSV file with a COPY of its own, one after the other, in one process."""
    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    for source, target in zip(paths[::2], paths[1::2], strict=True):
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{source}')) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
