"""Block finds the fields of every line, and never takes a row's contract for that of the row before."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from thetabulk.store.block import MARGIN, Block

law = settings(max_examples=150, deadline=None)
prefixes = st.text("ab", max_size=60)


@law
@given(st.lists(st.tuples(st.text("ab", max_size=3), prefixes, st.integers(1, 4)), min_size=1, max_size=12), prefixes)
def test_every_row_with_another_prefix_is_a_head(contracts: list[tuple[str, str, int]], common: str) -> None:
    """Prefixes of every length, alike but for a letter anywhere: a false non-head would give a row a wrong contract."""
    lines = [f"{common},{middle},{rest},{n}\n" for middle, rest, count in contracts for n in range(count)]
    block = Block(["".join(lines).encode()], 4)
    whole = np.arange(block.count)
    seen = block.prefixes(whole, 3)
    assert seen == [f"{line.rpartition(',')[0]},".encode() for line in lines]
    naive = {0} | {row for row in range(1, len(seen)) if seen[row] != seen[row - 1]}
    heads = block.prefix_heads(3).tolist()
    assert naive <= set(heads)
    assert heads == sorted(set(heads))


@law
@given(st.integers(1, 70), st.data())
def test_one_changed_letter_makes_a_head(length: int, data: st.DataObject) -> None:
    """At every place of a prefix of every length, among neighbours of other lengths."""
    text = "x" * length
    place = data.draw(st.integers(0, length - 1))
    changed = text[:place] + "y" + text[place + 1 :]
    others = ["z" * data.draw(st.integers(0, 70)) for _ in range(2)]
    rows = [others[0], text, changed, changed, text, others[1]]
    block = Block(["".join(f"{row},7\n" for row in rows).encode()], 2)
    assert {1, 2, 4, 5} - {row for row in (1, 5) if rows[row] == rows[row - 1]} <= set(block.prefix_heads(1).tolist())


def test_rows_of_one_contract_have_one_head() -> None:
    """The other half of the bargain: 391 rows of a contract are one look-up."""
    contracts = [b'"QQQ","2024-08-02",9.500,"PUT",', b'"QQQ","2024-08-02",10000.000,"CALL",']
    block = Block([b"".join(prefix + b"%d,x\n" % row for prefix in contracts for row in range(391))], 6)
    assert block.prefix_heads(4).tolist() == [0, 391]


@law
@given(st.lists(st.lists(st.text("ab\r", max_size=3), min_size=1, max_size=5), min_size=1, max_size=8))
def test_fields_are_found_in_whole_lines(lines: list[list[str]]) -> None:
    """A line with another number of fields is not whole, and is the last that is looked at."""
    body = "".join(f"{','.join(fields)}\n" for fields in lines).encode()
    block = Block([body[:3], memoryview(body)[3:]], 3)
    lines = lines[: next((row + 1 for row, fields in enumerate(lines) if len(fields) != 3), len(lines))]
    assert block.count == len(lines)
    assert block.whole.tolist() == [len(fields) == 3 for fields in lines]
    assert [block.line(row) for row in range(len(lines))] == [line + b"\n" for line in body.split(b"\n")[: len(lines)]]
    for index in range(3):
        starts, ends = block.field(index)
        for row, fields in enumerate(lines):
            if len(fields) == 3:
                assert block.data[starts[row] : ends[row]].decode() == fields[index]


def test_words_at_both_ends_are_inside_the_buffer() -> None:
    """The margins are wide enough for the first field and the last."""
    block = Block([b"a\n"], 1)
    starts, ends = block.field(0)
    assert block.words[ends - 8].shape == block.words[starts + 24].shape == (1,)
    assert len(block.data) == 2 * len(MARGIN) + 2
