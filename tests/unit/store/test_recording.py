"""One answer on its way to the drive: streamed, put in order if it must be, committed, or gone without a trace."""

import random
import weakref
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.store.answers import HOURLY, LIVE, chain, minutes, pieces, quotes
from tests.unit.store.recorded import TARGET, Folder, FolderPart, record, recording
from thetabulk.errors import BadAnswer
from thetabulk.store.printing import vendor_csv
from thetabulk.store.recording import Manner, Recording
from thetabulk.store.stored import read_footer

ROWS = quotes(chain(3))
BODY = LIVE.body(HOURLY, ROWS)
LARGE = LIVE.body(HOURLY, quotes(chain(40)))  # more rows than the style needs, so that row groups are written early


def fed(one: Recording, body: bytes, piece: int = 700) -> Recording:
    for data in pieces(body, piece):
        one.feed(data)
    return one


def test_a_good_day_lies_under_its_name_and_nothing_beside_it(tmp_path: Path) -> None:
    """Committed as the part says."""
    folder = Folder(tmp_path)
    one = fed(recording(folder), BODY)
    assert one.weigh(None, "").rows == len(ROWS)
    placed = one.commit(TARGET)
    one.abort()
    assert placed.bytes == folder.path.stat().st_size
    assert [path.name for path in folder.root.iterdir()] == [TARGET.name]


@pytest.mark.parametrize("piece", [100, 5000, 1 << 20])
def test_csv_is_the_body_as_received(tmp_path: Path, piece: int) -> None:
    """Not one byte is changed, for those who want the vendor's own files."""
    done = record(tmp_path, BODY, manner=Manner(format="csv"), piece=piece)
    assert done.path.read_bytes() == BODY
    assert done.weighed.content == record(tmp_path, BODY).weighed.content


@pytest.mark.parametrize("piece", [100, 5000, 1 << 20])
def test_compressed_csv_is_the_body_as_received(tmp_path: Path, piece: int) -> None:
    """And the same file for the same answer, in whatever pieces it came."""
    done = record(tmp_path, LARGE, manner=Manner(format="csv.zst"), piece=piece)
    with done.path.open("rb") as file:
        assert zstandard.ZstdDecompressor().stream_reader(file).read() == LARGE
    other = record(tmp_path, LARGE, manner=Manner(format="csv.zst"), piece=333)
    assert done.placed.sha256 == other.placed.sha256


@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 279), st.integers(1, 60), st.integers(0, 279), st.integers(30, 100),
    st.sampled_from(["double", "decimal"]),
)  # fmt: skip
def test_late_disorder_is_put_in_order(
    tmp_path_factory: pytest.TempPathFactory, first: int, count: int, place: int, group: int, prices: str
) -> None:
    """Some rows come elsewhere, after row groups were written: the file is that of the same order seen at once."""
    rows = quotes(chain(20))
    moved, rest = rows[first : first + count], [*rows[:first], *rows[first + count :]]
    lines = [LIVE.line(HOURLY, row) for row in (*rest[:place], *moved, *rest[place:])]
    lines[-1] = lines[-1].replace(",50,", ",+50,", 1)
    lines[7] = lines[7].replace(",0.00,", ",NaN,", 1)
    body = (LIVE.header(HOURLY) + "".join(lines)).encode()
    root = tmp_path_factory.getbasetemp()
    manner = Manner(prices=prices, row_group_rows=group)
    done, at_once = record(root, body, manner=manner, piece=900), record(root, body, manner=manner, piece=1 << 20)
    assert b"".join(vendor_csv(done.path, HOURLY)) == body
    assert done.placed.sha256 == at_once.placed.sha256
    assert done.weighed.content == record(root, body, manner=Manner(format="csv")).weighed.content


def test_a_contract_that_comes_again_at_the_end_is_stored_beside_its_rows(tmp_path: Path) -> None:
    """Contract by contract, by time; the footer remembers who came when."""
    body = LARGE + BODY[len(LIVE.header(HOURLY)) :][: len(LIVE.line(HOURLY, ROWS[0])) * 7]
    done = record(tmp_path, body, manner=Manner(row_group_rows=50), piece=3000)
    keys = pq.read_table(done.path, columns=["expiration", "strike", "right", "timestamp"]).to_pylist()
    assert keys == sorted(keys, key=lambda row: (row["expiration"], row["strike"], row["right"], row["timestamp"]))
    order = read_footer(done.path).order
    assert order is not None
    assert sorted(order.tolist()) == list(range(len(keys)))
    assert order.tolist()[:4] == [0, 560, 1, 561]


def test_a_day_that_comes_by_time_is_stored_by_contract(tmp_path: Path) -> None:
    """The same values, the same content; printed as it came."""
    rows = quotes(chain(3), minutes(60))
    by_time = sorted(rows, key=lambda row: row.values[0])
    shuffled = random.Random(1).sample(rows, len(rows))
    bodies = [LIVE.body(HOURLY, some) for some in (rows, by_time, shuffled)]
    done = [record(tmp_path, body, manner=Manner(row_group_rows=40)) for body in bodies]
    assert len({one.weighed.content for one in done}) == 1
    assert read_footer(done[0].path).order is None
    tables = [pq.read_table(one.path).sort_by([("strike", "ascending"), ("right", "ascending")]) for one in done]
    assert tables[0].equals(tables[1])


@pytest.mark.parametrize("when", ["new", "fed", "held", "weighed", "finished"])
@pytest.mark.parametrize("manner", [Manner(row_group_rows=60), Manner(format="csv"), Manner(format="csv.zst")])
def test_an_aborted_recording_leaves_nothing(tmp_path: Path, when: str, manner: Manner) -> None:
    """No file, and no complaint when it is collected: pyarrow would write a footer into a file that is gone."""
    folder = Folder(tmp_path)
    one = recording(folder, manner=manner)
    if when != "new":
        fed(one, LARGE)
    if when == "held":
        one.feed(BODY[len(LIVE.header(HOURLY)) :])
    if when in ("weighed", "finished"):
        one.weigh(None, "")
    if when == "finished":
        one.commit(TARGET)
        folder.path.unlink()
    one.abort()
    one.abort()
    collected = weakref.ref(one)
    del one
    assert collected() is None
    assert list(folder.root.iterdir()) == []


class FullDrive(FolderPart):
    """Takes so many writes, and no more."""

    writes = 3

    def write(self, data: bytes, /) -> int:
        self.writes -= 1
        if self.writes < 0:
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("writes", [0, 1, 3, 20])
def test_an_error_of_the_drive_comes_out_as_it_is(tmp_path: Path, writes: int) -> None:
    """Not wrapped by pyarrow, and not followed by others."""
    folder = Folder(tmp_path)

    def part() -> FolderPart:
        full = FullDrive(folder.root / "full.part")
        full.writes = writes
        return full

    one = recording(folder, manner=Manner(row_group_rows=50))
    one.abort()
    folder.part = part  # type: ignore[method-assign]
    one = recording(folder, manner=Manner(row_group_rows=50))

    def all_of_it() -> None:
        fed(one, LARGE)
        one.weigh(None, "")
        one.commit(TARGET)

    with pytest.raises(OSError, match="No space left") as told:
        all_of_it()
    assert told.value.errno == 28
    one.abort()
    assert list(folder.root.iterdir()) == []


class BadDrive(FolderPart):
    """Gives back other bytes than were written."""

    place = 0

    def close(self) -> None:
        super().close()
        if self.path.exists():
            content = bytearray(self.path.read_bytes())
            content[self.place % len(content)] ^= 1
            self.path.write_bytes(content)


@pytest.mark.parametrize("place", [300, 700, 1000, -200, -1])
def test_a_day_that_does_not_print_back_is_not_committed(tmp_path: Path, place: int) -> None:
    """Whether the damage makes it unreadable or another day."""
    folder = Folder(tmp_path)

    def part() -> FolderPart:
        bad = BadDrive(folder.root / "bad.part")
        bad.place = place
        return bad

    folder.part = part  # type: ignore[method-assign]
    one = fed(recording(folder), BODY)
    one.weigh(None, "")
    with pytest.raises(BadAnswer) as told:
        one.commit(TARGET, print_again=True)
    assert told.value.kind == "inexact"
    assert not folder.path.exists()
    one.abort()
