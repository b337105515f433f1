import errno
import json
import os
from datetime import timedelta
from pathlib import Path
from zlib import crc32

import pytest

from tests.unit.ledger.days import NOON, QQQ, failed, saved, shard
from tests.unit.store.faulty_os import FaultyOs, Killed, faulty_disk, plain_disk
from thetabulk.errors import DiskFull, DriveGone, NotPermitted, ThetabulkError
from thetabulk.ledger import journal, payload
from thetabulk.ledger.journal import Ledger
from thetabulk.ledger.payload import ContractList
from thetabulk.ledger.record import NewerRecord, to_line
from thetabulk.model import Boundary, Entry, Job

RESERVE = 100_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The store's .thetabulk."""
    place = tmp_path / ".thetabulk"
    place.mkdir()
    return place


@pytest.fixture
def small_compaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "COMPACT_LINES", 4)


def reopened(folder: Path, *, write: bool = False) -> Ledger:
    return Ledger.open(folder, write=write, disk=plain_disk())


def fill(folder: Path, *numbers: int) -> None:
    with reopened(folder, write=True) as ledger:
        for number in numbers:
            ledger.record(saved(number), NOON)


def numbers_in(folder: Path) -> set[int]:
    return {(one.day - shard(0).day).days for one in reopened(folder).days}


def test_what_was_recorded_is_there_when_opened_again(folder: Path) -> None:
    """Of every kind, with the moment at which it was recorded."""
    boundary = Boundary(QQQ, "vendor", shard(3).day, ("probe of 2015: empty",))
    job = Job("j1", (QQQ,), shard(0).day, shard(9).day)
    listed = ContractList("QQQ", shard(5).day, 8_778, "ab")
    with reopened(folder, write=True) as ledger:
        entry = ledger.record(saved(5), NOON + timedelta(microseconds=5))
        ledger.record(failed(6), NOON)
        ledger.record_boundary(boundary, NOON)
        ledger.record_job(job, NOON)
        ledger.record_contracts(listed, NOON)
        ledger.record_profile({"grids": [391, 406]}, NOON)
        before = dict(ledger.days)
    assert entry == Entry(saved(5), NOON, 1)
    again = reopened(folder)
    assert again.days == before == {shard(5): entry, shard(6): Entry(failed(6), NOON, 2)}
    assert (again.boundaries, again.jobs) == ({(QQQ, boundary.kind): boundary}, {"j1": job})
    assert (again.contracts, again.profile) == ({("QQQ", shard(5).day): listed}, {"grids": [391, 406]})
    assert (again.damaged, again.notes) == ([], [])


def test_every_line_is_json_and_numbered(folder: Path) -> None:
    """`jq` reads it, and the numbers go on from run to run."""
    fill(folder, 1, 2)
    fill(folder, 3)
    lines = (folder / "ledger.jsonl").read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3]


def test_a_record_is_one_write_and_one_sync(folder: Path) -> None:
    """However long the ledger is: its cost decides whether ten years take hours more."""
    fill(folder, *range(20))
    with FaultyOs() as calls:
        ledger = Ledger.open(folder, write=True, disk=faulty_disk(calls))
        calls.calls.clear()
        ledger.record(saved(99), NOON)
        assert calls.calls == ["stat", "write", "fdatasync" if hasattr(os, "fdatasync") else "fsync"]


def test_reading_writes_nothing_and_needs_no_file(folder: Path) -> None:
    """`status` works while a run is writing, on a store that is read-only, and on an empty one."""
    with FaultyOs(at=1, sticky=True, error=OSError(errno.EROFS, "read-only"), named="write") as calls:
        assert Ledger.open(folder, write=False, disk=faulty_disk(calls)).days == {}
    assert list(folder.iterdir()) == []
    assert reopened(folder.parent / "none").days == {}
    with reopened(folder, write=True) as writer:
        writer.record(saved(1), NOON)
        assert set(reopened(folder).days) == {shard(1)}
        with pytest.raises(ThetabulkError, match="reading only"):
            reopened(folder).record(saved(2), NOON)


def test_a_reader_leaves_a_half_written_line_alone(folder: Path) -> None:
    """The writer may be in the middle of it."""
    fill(folder, 1)
    whole = (folder / "ledger.jsonl").read_bytes()
    (folder / "ledger.jsonl").write_bytes(whole + b'{"kind":"day"')
    ledger = reopened(folder)
    assert set(ledger.days) == {shard(1)}
    assert "torn" in ledger.notes[0]
    assert (folder / "ledger.jsonl").read_bytes() == whole + b'{"kind":"day"'


def test_a_torn_tail_is_cut_before_anything_is_added(folder: Path) -> None:
    """Else the next line would be bad as well."""
    fill(folder, 1, 2)
    path = folder / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    with reopened(folder, write=True) as ledger:
        assert "torn" in ledger.notes[0]
        ledger.record(saved(3), NOON)
    assert numbers_in(folder) == {1, 3}
    assert reopened(folder).notes == []


def test_a_bad_line_in_the_middle_is_told_with_its_day(folder: Path) -> None:
    """And nothing else is lost."""
    fill(folder, 1, 2, 3)
    path = folder / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"3400000", b"3400001") + lines[2])
    ledger = reopened(folder, write=True)
    assert set(ledger.days) == {shard(1), shard(3)}
    assert [(one.line, one.shard) for one in ledger.damaged] == [(2, shard(2))]
    assert "line 2" in ledger.notes[0]
    ledger.record(saved(2), NOON)
    assert ledger.damaged == []
    ledger.close()
    assert numbers_in(folder) == {1, 2, 3}


def test_lines_out_of_order_are_told_and_the_newest_counts(folder: Path) -> None:
    """A file that was pieced together by hand: no line is lost, and no older one wins."""
    fill(folder, 1, 2)
    path = folder / "ledger.jsonl"
    first, second = path.read_bytes().splitlines(keepends=True)
    newest = to_line("day", 3, NOON, payload.outcome_payload(saved(1, size=7)))
    path.write_bytes(newest + second + first)
    with reopened(folder, write=True) as ledger:
        assert ledger.notes == ["2 lines are out of order; the newest of each day counts"]
        assert ledger.days[shard(1)].outcome == saved(1, size=7)
        assert ledger.record(saved(4), NOON).seq == 4
    assert numbers_in(folder) == {1, 2, 4}


def test_nothing_is_written_after_a_newer_version(folder: Path) -> None:
    """Reading skips what it cannot know, and says so."""
    fill(folder, 1)
    path = folder / "ledger.jsonl"
    line = to_line("day", 2, NOON, payload.outcome_payload(saved(2)))
    body = line[: line.index(b',"crc"')].replace(b'"v":1', b'"v":2')
    content = path.read_bytes() + b'%s,"crc":"%08x"}\n' % (body, crc32(body))
    path.write_bytes(content + b"torn")
    with pytest.raises(NewerRecord) as caught:
        reopened(folder, write=True)
    assert caught.value.exit_code == 2
    assert path.read_bytes() == content + b"torn"
    assert set(reopened(folder).days) == {shard(1)}
    assert "newer" in reopened(folder).notes[1]


@pytest.mark.usefixtures("small_compaction")
def test_compaction_keeps_the_days_and_the_generation_before(folder: Path) -> None:
    """When more than half of the lines count no longer."""
    fill(folder, 1, 1, 1, 2)
    before = (folder / "ledger.jsonl").read_bytes()
    fill(folder, 1)
    assert not (folder / "ledger.jsonl.1").exists()  # 4 lines were not worth it
    whole = (folder / "ledger.jsonl").read_bytes()
    assert whole.startswith(before)
    with reopened(folder, write=True) as ledger:
        assert len((folder / "ledger.jsonl").read_bytes().splitlines()) == 2
        assert (folder / "ledger.jsonl.1").read_bytes() == whole
        assert ledger.record(saved(3), NOON).seq == 6
    assert numbers_in(folder) == {1, 2, 3}
    assert sorted(path.name for path in folder.iterdir()) == ["ledger.jsonl", "ledger.jsonl.1"]


@pytest.mark.usefixtures("small_compaction")
@pytest.mark.parametrize("left", [None, b"", b"\x00" * 5000, b"garbage\n" * 20, b"{torn"])
def test_a_lost_ledger_goes_back_to_the_generation_before(folder: Path, left: bytes | None) -> None:
    """Deleted, cut to nothing, zeroed: what is known is said, and nothing is thrown away."""
    fill(folder, 1, 1, 1, 1, 2)
    fill(folder, 3)
    path = folder / "ledger.jsonl"
    path.unlink()
    if left is not None:
        path.write_bytes(left)
    reader = reopened(folder)
    assert set(reader.days) == {shard(1), shard(2)}
    assert "generation before" in reader.notes[0]
    with reopened(folder, write=True) as ledger:
        assert "generation before" in ledger.notes[0]
        ledger.record(saved(4), NOON)
    assert numbers_in(folder) == {1, 2, 4}
    if left:
        assert (folder / "ledger.jsonl.damaged").read_bytes() == left


def test_a_full_drive_costs_the_reserve_not_the_record(folder: Path) -> None:
    """The day is on the drive already; a line that did not fit would make it invisible."""
    with FaultyOs() as calls:
        ledger = Ledger.open(folder, write=True, disk=faulty_disk(calls), reserve_bytes=RESERVE)
        assert (folder / "reserve").stat().st_size == RESERVE

        def full_while_reserved(descriptor: int, content: bytes) -> int:
            if (folder / "reserve").exists():
                if len(content) > 100:
                    return os.write(descriptor, content[:100])  # a full drive takes a part first
                raise OSError(errno.ENOSPC, "full")
            return os.write(descriptor, content)

        def always_full(descriptor: int, content: bytes) -> int:
            if len(content) > 100:
                return os.write(descriptor, content[:100])
            raise OSError(errno.ENOSPC, "full")

        calls.instead["write"] = full_while_reserved
        ledger.record(saved(1), NOON)
        assert not (folder / "reserve").exists()
        calls.instead["write"] = always_full
        for _ in range(2):
            with pytest.raises(DiskFull):
                ledger.record(saved(2), NOON)
        assert not ledger.refill_reserve()
        del calls.instead["write"]
        ledger.record(saved(3), NOON)  # room was made: no restart needed
        assert ledger.refill_reserve()
        assert ledger.refill_reserve()
        assert (folder / "reserve").stat().st_size == RESERVE
        ledger.close()
    assert numbers_in(folder) == {1, 3}
    assert reopened(folder).notes == []


def test_no_room_for_the_reserve_is_no_reason_to_stop(folder: Path) -> None:
    """A resume on a full drive has to start, to say so."""
    with FaultyOs(at=1, sticky=True, named="write", error=OSError(errno.ENOSPC, "full")) as calls:
        ledger = Ledger.open(folder, write=True, disk=faulty_disk(calls), reserve_bytes=RESERVE)
        ledger.close()
    assert not (folder / "reserve").exists()


@pytest.mark.parametrize(
    ("call", "number", "kind"),
    [
        ("write", errno.EIO, DriveGone),
        ("write", errno.EROFS, NotPermitted),
        ("fdatasync", errno.EIO, DriveGone),
        ("fdatasync", errno.ENOSPC, DiskFull),
        ("stat", errno.ENOTCONN, DriveGone),
    ],
)
def test_after_an_error_of_the_drive_the_ledger_is_closed(
    folder: Path, call: str, number: int, kind: type[ThetabulkError]
) -> None:
    """No second sync, no further line; opened again, what is on the drive decides."""
    with FaultyOs() as calls:
        ledger = Ledger.open(folder, write=True, disk=faulty_disk(calls))
        ledger.record(saved(1), NOON)
        assert ledger.usable
        calls.arm(1, OSError(number, "no"), named=call)
        with pytest.raises(kind):
            ledger.record(saved(2), NOON)
        assert not ledger.usable
        assert set(ledger.days) == {shard(1)}
        done = list(calls.calls)
        with pytest.raises(kind, match="closed since"):
            ledger.record(saved(3), NOON)
        assert calls.calls == done
        assert calls.calls.count("fdatasync") <= 1
        assert not calls.opened
    with reopened(folder, write=True) as again:
        assert shard(1) in again.days
        again.record(saved(3), NOON)
    assert {1, 3} <= numbers_in(folder)


def test_a_drive_that_went_away_lazily_is_noticed_before_the_line_is_written(folder: Path) -> None:
    """An old descriptor takes writes and syncs after `umount -l`, and nothing of them stays."""
    with reopened(folder, write=True) as ledger:
        ledger.record(saved(1), NOON)
        folder.rename(folder.with_name("pulled"))
        folder.mkdir()
        with pytest.raises(DriveGone, match="not there"):
            ledger.record(saved(2), NOON)
    assert list(folder.iterdir()) == []
    assert numbers_in(folder.with_name("pulled")) == {1}


def test_an_interrupted_write_closes_the_ledger(folder: Path) -> None:
    """How much of the line arrived is not known."""
    with FaultyOs() as calls:
        ledger = Ledger.open(folder, write=True, disk=faulty_disk(calls))
        calls.arm(1, KeyboardInterrupt(), named="write")
        with pytest.raises(KeyboardInterrupt):
            ledger.record(saved(1), NOON)
        with pytest.raises(ThetabulkError, match="interrupted") as caught:
            ledger.record(saved(1), NOON)
    assert caught.value.exit_code == 1


def run(folder: Path, calls: FaultyOs, claimed: set[int]) -> None:
    """Opens (and compacts), then records three days; `claimed` grows as `record` returns."""
    with Ledger.open(folder, write=True, disk=faulty_disk(calls), reserve_bytes=1000) as ledger:
        for number in (11, 12, 13):
            ledger.record(saved(number), NOON)
            claimed.add(number)


def prepared(folder: Path, at: int) -> Path:
    """A ledger that is due for compaction and has a torn tail."""
    place = folder / str(at)
    place.mkdir()
    lines = (
        to_line("day", seq, NOON, payload.outcome_payload(saved(number)))
        for seq, number in enumerate((1, 1, 1, 1, 2), start=1)
    )
    (place / "ledger.jsonl").write_bytes(b"".join(lines) + b'{"kind":"da')
    return place


def calls_of_a_run(folder: Path) -> int:
    with FaultyOs() as calls:
        run(prepared(folder, 0), calls, set())
        return len(calls.calls)


@pytest.mark.usefixtures("small_compaction")
def test_killed_at_any_call_no_claimed_day_is_lost(folder: Path) -> None:
    """While mending, compacting and recording: every call in turn."""
    for at in range(1, calls_of_a_run(folder) + 1):
        place, claimed = prepared(folder, at), {1, 2}
        with FaultyOs(at=at, error=Killed(), sticky=True) as calls, pytest.raises(Killed):
            run(place, calls, claimed)
        assert claimed <= numbers_in(place) <= {1, 2, 11, 12, 13}
        fill(place, 11, 12, 13)
        assert numbers_in(place) == {1, 2, 11, 12, 13}


@pytest.mark.usefixtures("small_compaction")
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS, errno.ENOTCONN, errno.EMFILE])
@pytest.mark.parametrize("sticky", [False, True], ids=["once", "for good"])
def test_an_error_at_any_call_loses_no_claimed_day(folder: Path, number: int, sticky: bool) -> None:
    """And comes as one of ours."""
    for at in range(1, calls_of_a_run(folder) + 1):
        place, claimed = prepared(folder, at), {1, 2}
        with FaultyOs(at=at, error=OSError(number, "no"), sticky=sticky) as calls:
            try:
                run(place, calls, claimed)
            except ThetabulkError:
                pass
            else:
                assert claimed == {1, 2, 11, 12, 13}
            assert not calls.opened
        assert claimed <= numbers_in(place) <= {1, 2, 11, 12, 13}
        fill(place, 14)
        assert claimed | {14} <= numbers_in(place)
