"""Tables for people, as lines of plain text that fit 80 columns. Pure: rows in, lines out.

Rows are those of the JSON documents (docs/commands.md): dates may come as `date` or as text.
"""

from collections.abc import Iterable, Mapping, Sequence

from thetabulk.report.units import count, shorten, size

Row = Mapping[str, object]
_NUMBERS = {
    "sessions": "days", "saved": "saved", "proven": "proven", "empty": "empty", "refused": "refused",
    "failed": "failed", "pending": "pending",
}  # fmt: skip
_BOUNDARY = {"vendor": "the vendor's data begin", "tier": "the subscription serves from"}


def columns(header: Sequence[str], rows: Iterable[Sequence[str]], left: Iterable[int] = (0,)) -> list[str]:
    """Lines with aligned columns, two spaces apart; those in `left` are flush left, the others flush right."""
    table = [list(header), *map(list, rows)]
    widths = [max(len(row[index]) for row in table) for index in range(len(header))]
    flush_left = set(left)
    return [
        "  ".join(
            cell.ljust(width) if index in flush_left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def facts(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """`name   value`, the values under each other."""
    known = list(pairs)
    width = max((len(name) for name, _ in known), default=0)
    return [f"{name.ljust(width)}  {value}".rstrip() for name, value in known]


def status(collections: Sequence[Row], width: int = 80) -> list[str]:
    """Per collection a line with its days by outcome and its size; below its dataset, its range and its boundary."""
    if not collections:
        return ["nothing is stored or wanted yet"]
    header = ["symbol", *_NUMBERS.values(), "size"]
    lines = columns(
        header, [[_text(row, "symbol"), *_numbers(row), size(_number(row, "bytes"))] for row in collections]
    )
    told = [lines[0]]
    for row, line in zip(collections, lines[1:], strict=True):
        told += [line, *(f"  {detail}" for detail in _details(row, width - 2))]
    return told


def gaps(rows: Sequence[Row], width: int = 80) -> list[str]:
    """One line per day that is not proven: `symbol`, `day`, what it is (`outcome`), why (`reason`)."""
    if not rows:
        return ["no gaps: every day is saved and proven, or known to be empty"]
    lines = columns(
        ["symbol", "day", "is", "why"],
        [[_text(row, key) for key in ("symbol", "day", "outcome", "reason")] for row in rows],
        left=range(4),
    )
    return [_cut(line, width) for line in lines]


def problems(title: str, entries: Sequence[Row], width: int = 80) -> list[str]:
    """A list of `verify`: symbol, day and problem in one line, the file under it."""
    if not entries:
        return []
    lines = [f"{title} ({count(len(entries))})"]
    for entry in entries:
        head = f"  {_text(entry, 'symbol')} {_text(entry, 'day')}  {_text(entry, 'problem')}"
        lines.append(_cut(head, width))
        if entry.get("file"):
            lines.append(f"    {shorten(_text(entry, 'file'), width - 4)}")
    return lines


def _details(row: Row, width: int) -> list[str]:
    dataset = f"{_text(row, 'dataset')}~{row['selection']}" if row.get("selection") else _text(row, "dataset")
    parts = [dataset, f"{_text(row, 'first')} … {_text(row, 'last')}"]
    boundary = row.get("boundary")
    if isinstance(boundary, Mapping):
        parts.append(f"{_BOUNDARY.get(str(boundary['kind']), str(boundary['kind']))} {boundary['day']}")
    lines = [parts[0]]
    for part in parts[1:]:
        together = f"{lines[-1]} · {part}"
        lines[-1:] = [together] if len(together) <= width else [lines[-1], part]
    return [shorten(line, width) for line in lines]


def _numbers(row: Row) -> list[str]:
    return [count(_number(row, key)) for key in _NUMBERS]


def _number(row: Row, key: str) -> int:
    value = row.get(key, 0)
    return value if isinstance(value, int) else 0


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    return "–" if value is None else str(value)


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"
