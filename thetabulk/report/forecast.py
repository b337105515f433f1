"""A plan in words and numbers, as lines of at most 80 columns. Pure: the rows are those of the JSON document."""

from collections.abc import Mapping, Sequence

from thetabulk.report.tables import columns
from thetabulk.report.units import count, shorten, size, span

Row = Mapping[str, object]
_FITS = {
    "yes": "fits: there is room for it",
    "perhaps": "may not fit: the upper estimate is more than there is room for",
    "no": "does not fit: even the lower estimate is more than there is room for",
    "unknown": "whether it fits is not known",
}


def lines(rows: Sequence[Row], width: int = 80) -> list[str]:
    """Per collection a line with its days, requests, bytes and time; below its dataset, range and the evidence."""
    header = ["symbol", "days", "done", "to do", "requests", "to store", "time"]
    table = columns(header, [_cells(row) for row in rows])
    told = [table[0]]
    for row, line in zip(rows, table[1:], strict=True):
        folder = f"{row['dataset']}~{row['selection']}" if row["selection"] else str(row["dataset"])
        days = f"{folder} · {row['first']} … {row['last']}"
        told += [line, *(f"  {shorten(text, width - 2)}" for text in (days, str(row["evidence"])))]
    return told


def room(fits: str, low: float | None, high: float | None, free_bytes: int | None) -> list[str]:
    """What is to be stored in all, what is free, and whether the one goes into the other."""
    amount = "size not known" if low is None or high is None else f"{sizes(low, high)} to store"
    free = "free space not known" if free_bytes is None else f"{size(free_bytes)} free"
    return [f"{amount}, {free}", _FITS[fits]]


def sizes(low: float, high: float) -> str:
    """`15.2–31.0 GB`, or with two units where they differ."""
    least, most = size(low), size(high)
    if least == most:
        return most
    number, unit = least.split(" ")
    return f"{number}–{most}" if most.endswith(f" {unit}") else f"{least}–{most}"


def _cells(row: Row) -> list[str]:
    requests, stored, seconds = row["requests"], row["bytes"], row["seconds"]
    asked = sum(requests.values()) if isinstance(requests, Mapping) else 0
    days = [count(number) for name in ("wanted", "done", "todo") if isinstance(number := row[name], int)]
    return [
        str(row["symbol"]), *days, count(asked),
        sizes(stored["low"], stored["high"]) if isinstance(stored, Mapping) else "?",
        span(seconds["low"], seconds["high"]) if isinstance(seconds, Mapping) else "?",
    ]  # fmt: skip
