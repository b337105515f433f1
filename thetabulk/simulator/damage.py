"""Answers made wrong in one particular way: each function takes the blocks of an answer and gives others.

A block is all the lines of one contract. What has to be picked is picked near the beginning, so that short answers are
hit as well.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice

from thetabulk.simulator.faults import Fault
from thetabulk.simulator.lines import strike_text
from thetabulk.simulator.market import Contract

Block = tuple[Contract | None, bytes]
OLD = "1882-12-30"
AMONG = 20  # the contract that is hit is one of so many first ones


Change = Callable[[Iterator[Block], "Wound"], Iterator[Block]]
Edit = Callable[[bytes, "Wound"], bytes]


@dataclass(frozen=True, slots=True)
class Wound:
    """A fault with what it needs to know: `dice` for its choices, the header's columns, the answer's expected bytes,
    and what comes instead of the day or the symbol that was asked for."""

    fault: Fault
    dice: int
    columns: tuple[str, ...]
    expected_bytes: int
    newline: bytes
    day: date
    other_day: date
    symbol: str
    other_symbol: str

    def column(self, *names: str) -> int:
        return next(self.columns.index(name) for name in names if name in self.columns)


def damaged(blocks: Iterator[Block], wound: Wound) -> Iterator[Block]:
    """The answer with the fault in it; a fault that is not about content changes nothing."""
    change = _CHANGES.get(wound.fault.name)
    return change(blocks, wound) if change else blocks


def damaged_columns(columns: tuple[str, ...], fault: Fault) -> tuple[str, ...]:
    """The header with the fault in it."""
    if fault.name == "new-column":
        return (*columns, "surprise")
    if fault.name == "renamed-column":
        return (*columns[:-1], columns[-1] + "_new")
    if fault.name == "swapped-columns":
        return (*columns[:-2], columns[-1], columns[-2])
    return columns


def cut_at(fault: Fault, dice: int, expected_bytes: int) -> int:
    """After how many bytes of the body a fault strikes: `at` is a share, a number of bytes, or random."""
    at = fault.text("at", "0" if fault.name == "reset" else "random")
    if at == "random":
        return 1 + dice % max(expected_bytes * 9 // 10, 1)
    if "." in at:
        digits = at.partition(".")[2]
        return expected_bytes * int(digits or "0") // int(f"1{'0' * len(digits)}")
    return int(at)


def _one_of_the_first(blocks: Iterator[Block], dice: int) -> tuple[list[Block], Block | None]:
    """Blocks to pass on unchanged, and the one that is hit. The rest stays in the iterator."""
    first = list(islice(blocks, 1 + dice % AMONG))
    return (first[:-1], first[-1]) if first else ([], None)


def _edit_one(edit: Edit) -> Change:
    """Changes one block."""

    def change(blocks: Iterator[Block], wound: Wound) -> Iterator[Block]:
        before, hit = _one_of_the_first(blocks, wound.dice)
        yield from before
        if hit is not None:
            yield hit[0], edit(hit[1], wound)
        yield from blocks

    return change


def _edit_field(names: tuple[str, ...], edit: Callable[[bytes], bytes]) -> Edit:
    """Changes one field of one row, in the middle of a contract's rows."""

    def change(block: bytes, wound: Wound) -> bytes:
        lines = block.splitlines(keepends=True)
        middle = len(lines) // 2
        fields = lines[middle].split(b",")
        place = wound.column(*names)
        end = wound.newline if fields[place].endswith(wound.newline) else b""
        fields[place] = edit(fields[place].removesuffix(end)) + end
        lines[middle] = b",".join(fields)
        return b"".join(lines)

    return change


def _edit_lines(edit: Callable[[list[bytes]], list[bytes]]) -> Edit:
    def change(block: bytes, wound: Wound) -> bytes:
        return b"".join(edit(block.splitlines(keepends=True)))

    return change


def _every(edit: Edit) -> Change:
    def change(blocks: Iterator[Block], wound: Wound) -> Iterator[Block]:
        return ((contract, edit(block, wound)) for contract, block in blocks)

    return change


def _replaced(edit: Edit) -> Change:
    """Changes every row, or with rows=one the last row of one contract."""

    def last_row(block: bytes, wound: Wound) -> bytes:
        lines = block.splitlines(keepends=True)
        return b"".join([*lines[:-1], edit(lines[-1], wound)])

    def change(blocks: Iterator[Block], wound: Wound) -> Iterator[Block]:
        one = wound.fault.text("rows", "all") == "one"
        return (_edit_one(last_row) if one else _every(edit))(blocks, wound)

    return change


def _other_day(block: bytes, wound: Wound) -> bytes:
    day, other = (b",%bT" % day.isoformat().encode() for day in (wound.day, wound.other_day))
    return block.replace(day, other)


def _other_symbol(block: bytes, wound: Wound) -> bytes:
    symbol = block[: block.index(b",") + 1]
    return block.replace(symbol, symbol.replace(wound.symbol.encode(), wound.other_symbol.encode()))


def _drop_contract(blocks: Iterator[Block], wound: Wound) -> Iterator[Block]:
    before, _ = _one_of_the_first(blocks, wound.dice)
    yield from before
    yield from islice(blocks, wound.fault.number("count", 1) - 1, None)


def _double_contract(blocks: Iterator[Block], wound: Wound) -> Iterator[Block]:
    before, hit = _one_of_the_first(blocks, wound.dice)
    again = [] if hit is None else [hit, *islice(blocks, wound.fault.number("count", 1) - 1)]
    yield from chain(before, again, again, blocks)


def _one_more(contract: Callable[[bytes, Contract], bytes]) -> Change:
    def change(blocks: Iterator[Block], wound: Wound) -> Iterator[Block]:
        for known, block in blocks:
            if known is not None:
                yield known, contract(block, known)
            yield known, block
            break
        yield from blocks

    return change


def _expired_long_ago(block: bytes, contract: Contract) -> bytes:
    return block.replace(contract.expiration.isoformat().encode(), OLD.encode())


def _never_listed(block: bytes, contract: Contract) -> bytes:
    known, unknown = strike_text(contract.strike_mills), strike_text(contract.strike_mills + 1_234)
    return block.replace(b"," + known + b",", b"," + unknown + b",")


def _grid(blocks: Iterator[Block], wound: Wound) -> Iterator[Block]:
    rows = wound.fault.number("rows", 390)
    edit = _edit_lines(lambda lines: lines[:rows])
    return (_edit_one if wound.fault.text("contracts", "all") == "one" else _every)(edit)(blocks, wound)


def _clean_cut(blocks: Iterator[Block], wound: Wound) -> Iterator[Block]:
    left, by = cut_at(wound.fault, wound.dice, wound.expected_bytes), wound.fault.text("by", "row")
    for contract, block in blocks:
        if left < len(block):
            if by == "byte":
                yield contract, block[:left]
            elif by == "row":
                end = block.rfind(wound.newline, 0, left)
                yield contract, block[: end + len(wound.newline)] if end >= 0 else b""
            return
        yield contract, block
        left -= len(block)


def _time_major(blocks: Iterable[Block], wound: Wound) -> Iterator[Block]:
    lines = [block.splitlines(keepends=True) for _, block in blocks]
    for minute in range(max(map(len, lines), default=0)):
        yield None, b"".join(rows[minute] for rows in lines if minute < len(rows))


def _reversed(blocks: Iterable[Block], wound: Wound) -> Iterator[Block]:
    yield from reversed(list(blocks))


def _no_final_newline(blocks: Iterator[Block], wound: Wound) -> Iterator[Block]:
    held: Block | None = None
    for block in blocks:
        if held is not None:
            yield held
        held = block
    if held is not None:
        yield held[0], held[1].removesuffix(wound.newline)


def _mixed_newlines(blocks: Iterator[Block], wound: Wound) -> Iterator[Block]:
    other = b"\n" if wound.newline == b"\r\n" else b"\r\n"
    for number, (contract, block) in enumerate(blocks):
        yield contract, block.replace(wound.newline, other) if number % 2 else block


def _error_inside(blocks: Iterator[Block], wound: Wound) -> Iterator[Block]:
    before, hit = _one_of_the_first(blocks, wound.dice)
    yield from before
    if hit is not None:
        yield hit
    yield None, b"Internal server error: stream was reset" + wound.newline


def _swap(block: bytes, wound: Wound) -> bytes:
    rows = (line.split(b",") for line in block.split(wound.newline)[:-1])
    return b"".join(b",".join([*row[:-2], row[-1], row[-2]]) + wound.newline for row in rows)


_BID = ("bid", "open_interest")
_CHANGES: dict[str, Change] = {
    "clean-cut": _clean_cut,
    "wrong-day": _replaced(_other_day),
    "wrong-symbol": _replaced(_other_symbol),
    "drop-contract": _drop_contract,
    "double-contract": _double_contract,
    "drop-row": _edit_one(_edit_lines(lambda lines: lines[: len(lines) // 2] + lines[len(lines) // 2 + 1 :])),
    "double-row": _edit_one(_edit_lines(lambda lines: lines[: len(lines) // 2 + 1] + lines[len(lines) // 2 :])),
    "grid": _grid,
    "time-major": _time_major,
    "reversed": _reversed,
    "no-final-newline": _no_final_newline,
    "mixed-newlines": _mixed_newlines,
    "three-decimals": _edit_one(_edit_field(("ask",), lambda price: price + b"5")),
    "nan": _edit_one(_edit_field(_BID, lambda price: b"NaN")),
    "negative": _edit_one(_edit_field(_BID, lambda price: b"-" + price)),
    "old-expiration": _one_more(_expired_long_ago),
    "unlisted-contract": _one_more(_never_listed),
    "new-column": _every(lambda block, wound: block.replace(wound.newline, b",7" + wound.newline)),
    "swapped-columns": _every(_swap),
    "error-inside": _error_inside,
}
