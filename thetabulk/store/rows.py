"""The vendor's CSV to columns, strictly, a megabyte at a time.

The fast path reads what is printed in the answer's own style (`style.Style`), with `digits`: what it accepts prints
back byte for byte. A line that it does not accept is read alone, leniently, and keeps its text. A line that cannot be
read at all means that this is not the answer to our request: BadAnswer, and nothing of it is kept (design §5, class A).
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from thetabulk.errors import BadAnswer
from thetabulk.model import Column, Dataset
from thetabulk.store import digits, fields
from thetabulk.store.block import Block
from thetabulk.store.contracts import Contracts, parse_contract
from thetabulk.store.digits import WORD, Ints, Mask
from thetabulk.store.fields import DAY_MS, EPOCH, LIMITS, sample
from thetabulk.store.style import Style, detect

KEY_COLUMNS = 4  # symbol, expiration, strike, right: the prefix that all rows of a contract share
STYLE_LINES = 256
"""The style is that of the first lines, this many if there are so many: the network's pieces decide nothing."""

_LONGEST_LINE = 65_536
_THREE_BYTES = np.uint64(0xFFFFFF)


@dataclass(slots=True)
class Rows:
    """Some rows of an answer, in order of arrival.

    `contract` numbers index `Contracts`. `values` holds an int64 array per column after the key: milliseconds since
    1970 (New York wall clock) for time stamps, units of 10^-places dollars for prices. `odd` holds the prices, by row
    and column, that no whole number of those units can say; `raw` the lines that would be printed otherwise.
    """

    contract: npt.NDArray[np.int32]
    values: dict[str, Ints]
    odd: dict[int, dict[str, Decimal]] = field(default_factory=dict)
    raw: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.contract)


class RowReader:
    """Reads one answer: `feed` every piece of the body, then `finish`. Both return the rows that became complete.

    Raises BadAnswer, kinds header, row, field, day, symbol, text, empty-body. `extra_columns` allows the vendor to
    append columns that we do not know (their text is kept with the line).
    """

    def __init__(self, dataset: Dataset, symbol: str, day: date, *, extra_columns: bool = False) -> None:
        self.contracts = Contracts()
        self.lines = 0
        self._dataset = dataset
        self._symbol = symbol
        self._day = day
        self._extra_columns = extra_columns
        self._columns: tuple[Column, ...] = dataset.columns
        self._style: Style | None = None
        self.header = ""
        self._carry = b""
        self._by_prefix: dict[bytes, tuple[int, bool]] = {}
        self._final_newline = True
        self._today = np.frombuffer(f"{day.isoformat()}T".encode().ljust(2 * WORD), dtype="<u8")

    @property
    def style(self) -> Style:
        """How the answer is printed; known once the first rows have been read."""
        assert self._style is not None
        return self._style if self._final_newline else self._style.without_final_newline()

    def feed(self, data: bytes) -> Rows | None:
        cut = data.rfind(b"\n") + 1
        if not cut:
            self._carry += data
            if len(self._carry) - self._carry.rfind(b"\n") > _LONGEST_LINE:
                raise BadAnswer(f"a line of more than {_LONGEST_LINE} bytes", kind="row")
            return None
        if self._style is not None:
            carry, self._carry = self._carry, data[cut:]
            return self._read(carry, memoryview(data)[:cut])
        self._carry += data
        if not self.header:
            line, newline, self._carry = self._carry.partition(b"\n")
            self._read_header(line + newline)
        if self._carry.count(b"\n") < STYLE_LINES:
            return None
        cut = self._carry.rfind(b"\n") + 1
        lines, self._carry = self._carry[:cut], self._carry[cut:]
        self._style = self._style_of(lines)
        return self._read(lines)

    def finish(self) -> Rows | None:
        """What is left: the last line if it has no line end, or a whole answer if it is a short one.

        Raises BadAnswer if the answer has no rows at all. A last line without its line end is read as if it had one:
        `style.final_newline` says that it had none.
        """
        if not self.header:
            self._read_header(self._carry)
        if not self._carry:
            if not self.lines:
                raise BadAnswer("the answer is a header and nothing else", kind="empty-body")
            return None
        lines, self._carry = self._carry, b""
        if self._style is None:
            self._style = self._style_of(lines)
        if not lines.endswith(b"\n"):
            lines += self._style.line_end.encode()
            self._final_newline = False
        return self._read(lines)

    def _read_header(self, line: bytes) -> None:
        text = _decoded(line, 1)
        if not text.strip():
            raise BadAnswer("the answer is empty", kind="empty-body")
        names = fields.unquoted(text.rstrip("\r\n").split(","))
        known = list(self._dataset.header)
        appended = names[: len(known)] == known and len(names) > len(known)
        if names != known and not (appended and self._extra_columns):
            is_header = len(set(names) & set(known)) > len(known) // 2
            raise BadAnswer(_header_problem(names, known, is_header), kind="header" if is_header else "text")
        if not line.endswith(b"\n"):
            raise BadAnswer("the answer is a header and nothing else", kind="empty-body")
        self._columns += tuple(Column(name, "text") for name in names[len(known) :])
        self.header = text

    def _style_of(self, lines: bytes) -> Style:
        first = [f"{line.decode('utf-8', 'replace')}\n" for line in lines.split(b"\n", STYLE_LINES)[:STYLE_LINES]]
        try:
            return detect(self.header, first, self._columns)
        except ValueError as error:
            raise BadAnswer(f"line 2 is no row: {sample(first[0])}", kind="row") from error

    def _read(self, *pieces: bytes | memoryview) -> Rows:
        block = Block(pieces, len(self._columns))
        rows = self._fast(block) if self._columns == self._dataset.columns else self._slow_only(block)
        self.lines += block.count
        return rows

    def _fast(self, block: Block) -> Rows:
        style = self.style
        good = block.whole.copy()
        contract, canonical = self._contract_numbers(block)
        good &= canonical
        values: dict[str, Ints] = {}
        for index, column in enumerate(self._columns[KEY_COLUMNS:], KEY_COLUMNS):
            starts, ends = block.field(index)
            if index == len(self._columns) - 1 and style.line_end == "\r\n":
                ends = ends - 1
                good &= block.bytes[ends] == ord("\r")
            if style.quoted[index]:
                good &= (block.bytes[starts] == ord('"')) & (block.bytes[ends - 1] == ord('"')) & (ends - starts > 1)
                starts, ends = starts + 1, ends - 1
            values[column.name], fine = self._values(block, column, style.places[index], starts, ends)
            good &= fine
        rows = Rows(contract, values)
        for row in np.flatnonzero(~good).tolist():
            self._slow(rows, row, block.line(row))
        return rows

    def _values(self, block: Block, column: Column, places: int, starts: Ints, ends: Ints) -> tuple[Ints, Mask]:
        if column.kind == "timestamp":
            return self._stamps(block, column.name == self._dataset.day_column, starts, ends)
        if column.kind == "price" and places:
            return digits.decimals(block.words, starts, ends, places)
        values, fine = digits.integers(block.words, starts, ends)
        return values, fine & (values < LIMITS[column.kind])

    def _stamps(self, block: Block, must_be_today: bool, starts: Ints, ends: Ints) -> tuple[Ints, Mask]:
        first, second, third = (block.words[starts + offset] for offset in (0, WORD, 2 * WORD))
        fine = (first == self._today[0]) & (second & _THREE_BYTES == self._today[1] & _THREE_BYTES)
        stamps, a_time = digits.times_of_day((second >> np.uint64(24)) | (third << np.uint64(40)))
        stamps += (self._day.toordinal() - EPOCH) * DAY_MS
        for row in () if must_be_today else np.flatnonzero(~fine).tolist():
            number = fields.day_number(block.data[starts[row] : starts[row] + len("2024-08-02T")])
            if number is not None:
                fine[row] = True
                stamps[row] += (number + EPOCH - self._day.toordinal()) * DAY_MS
        milliseconds, a_fraction = digits.fractions(third >> np.uint64(24), ends - starts, self.style.fraction)
        stamps += milliseconds
        return stamps, fine & a_time & a_fraction

    def _contract_numbers(self, block: Block) -> tuple[npt.NDArray[np.int32], Mask]:
        heads = block.prefix_heads(KEY_COLUMNS)
        known = [self._by_prefix.get(prefix) or self._learn(prefix) for prefix in block.prefixes(heads, KEY_COLUMNS)]
        lengths = np.diff(np.append(heads, block.count))
        numbers = np.array([number for number, _ in known], dtype=np.int32)
        canonical = np.array([fine for _, fine in known], dtype=np.bool_)
        return np.repeat(numbers, lengths), np.repeat(canonical, lengths)

    def _learn(self, prefix: bytes) -> tuple[int, bool]:
        """A prefix not seen before: its contract's number, and whether it prints back as it stands."""
        texts = fields.unquoted(prefix.decode("utf-8", "replace").removesuffix(",").split(","))
        if len(texts) != KEY_COLUMNS or texts[0] != self._symbol:
            return 0, False  # the line is read alone, and says what is wrong with it
        try:
            contract = parse_contract(texts[1:])
        except BadAnswer:
            return 0, False
        fine = self.style.contract_prefix(self._symbol, contract).encode() == prefix
        known = self._by_prefix[prefix] = self.contracts.number(contract), fine
        return known

    def _slow_only(self, block: Block) -> Rows:
        names = [column.name for column in self._dataset.columns[KEY_COLUMNS:]]
        rows = Rows(
            np.zeros(block.count, dtype=np.int32), {name: np.zeros(block.count, dtype=np.int64) for name in names}
        )
        for row in range(block.count):
            self._slow(rows, row, block.line(row))
        return rows

    def _slow(self, rows: Rows, row: int, line: bytes) -> None:
        """Reads one line alone into `rows`, and keeps its text if it would be printed otherwise."""
        number = self.lines + row + 2
        text = _decoded(line, number)
        texts = fields.unquoted(text.rstrip("\r\n").split(","))
        if len(texts) != len(self._columns):
            raise BadAnswer(
                f"line {number} has {len(texts)} fields instead of {len(self._columns)}: {sample(text)}", kind="row"
            )
        if texts[0] != self._symbol:
            raise BadAnswer(f"line {number} is of {sample(texts[0])}, asked for was {self._symbol}", kind="symbol")
        try:
            rows.contract[row] = self.contracts.number(parse_contract(texts[1:KEY_COLUMNS]))
            for index, column in enumerate(self._dataset.columns[KEY_COLUMNS:], KEY_COLUMNS):
                self._slow_value(rows, row, index, column, texts[index])
        except BadAnswer as error:
            raise BadAnswer(f"line {number}: {error}", kind=error.kind) from error
        if self._printed(rows, row) != text:
            rows.raw[row] = text

    def _slow_value(self, rows: Rows, row: int, index: int, column: Column, text: str) -> None:
        if column.kind == "timestamp":
            value = fields.stamp(column, text)
            day = date.fromordinal(value // DAY_MS + EPOCH)
            if column.name == self._dataset.day_column and day != self._day:
                raise BadAnswer(f"a row of {day}, asked for was {self._day}", kind="day")
        elif column.kind == "price":
            value, odd = fields.price(column, text, self.style.places[index])
            if odd is not None:
                rows.odd.setdefault(row, {})[column.name] = odd
        else:
            value = fields.whole(column, text)
        rows.values[column.name][row] = value

    def _printed(self, rows: Rows, row: int) -> str:
        """How the style would print a row; "" where it cannot."""
        if row in rows.odd or self._columns != self._dataset.columns:
            return ""
        style = self.style
        texts = []
        for index, column in enumerate(self._columns[KEY_COLUMNS:], KEY_COLUMNS):
            text = fields.printed(column, int(rows.values[column.name][row]), style.places[index], style.fraction)
            texts.append(f'"{text}"' if style.quoted[index] else text)
        prefix = style.contract_prefix(self._symbol, self.contracts[rows.contract[row]])
        return f"{prefix}{','.join(texts)}{style.line_end}"


def _decoded(line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadAnswer(f"line {number} is no text: {line[:40]!r}", kind="row") from error


def _header_problem(names: list[str], known: list[str], is_header: bool) -> str:
    if not is_header:
        return f"not the answer to our request; it begins with {sample(','.join(names))}"
    missing = [name for name in known if name not in names]
    added = [name for name in names if name not in known]
    parts = [f"{word} {', '.join(some)}" for word, some in (("without", missing), ("with new", added)) if some]
    return f"the columns have changed: {sample(' and '.join(parts) or 'another order')[1:-1]}"
