"""Start-up: ledger and drive are made to agree, and nothing is ever deleted."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.small_store import AT, DAYS, HOURLY, answer, reading, save, small_store, writing
from tests.unit.assembly.bench import LACKING, on_a_faulty_drive
from tests.unit.store.faulty_os import FaultyOs
from thetabulk.assembly.parts import Grids
from thetabulk.assembly.reconciling import reconcile_store
from thetabulk.assembly.stores import Store
from thetabulk.errors import DriveGone
from thetabulk.model import Asked, Collection, Failed, Outcome, Proof, Saved, Shard
from thetabulk.plan.calendar import Calendar

DAY = Shard(HOURLY, DAYS[2])
GRIDS = Grids(Calendar.load())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A store with five days."""
    small_store(tmp_path / "store")
    return tmp_path / "store"


def outcome(store: Store, shard: Shard = DAY) -> Outcome:
    return store.ledger.days[shard].outcome


def file_of(place: Path, shard: Shard = DAY) -> Path:
    with reading(place) as store:
        return store.file_of(shard)


def put_aside(place: Path) -> list[Path]:
    return [path for path in (place / ".thetabulk" / "quarantine").rglob("*") if path.is_file()]


def forget(place: Path, shard: Shard = DAY) -> None:
    """Killed between the file and its line: the ledger does not know the day."""
    ledger = place / ".thetabulk" / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(line for line in lines if shard.day.isoformat().encode() not in line))


def test_a_store_that_agrees_is_left_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look at each exact path; no line is written, no file is read, no folder is listed."""
    with FaultyOs() as calls, on_a_faulty_drive(place, calls, monkeypatch) as store:
        calls.arm(0, OSError())
        assert reconcile_store(store, [Shard(HOURLY, day) for day in DAYS], GRIDS) == []
        assert calls.calls == ["lstat"] * len(DAYS)


def test_a_day_that_is_gone_is_asked_for_again(place: Path) -> None:
    """And how many, is said once."""
    for day in DAYS[1:3]:
        file_of(place, Shard(HOURLY, day)).unlink()
    with writing(place) as store:
        assert reconcile_store(store, [], GRIDS) == ["2 recorded days are not on the drive any more; asked for again"]
        found = outcome(store)
        assert isinstance(found, Failed)
        assert (found.kind, found.asked.tier) == ("missing", "standard")


def test_a_day_that_was_only_touched_gets_its_new_time(place: Path) -> None:
    """Its bytes are the recorded ones: a copy, or another machine's clock."""
    os.utime(file_of(place), (1, 1))
    with writing(place) as store:
        before = outcome(store)
        assert reconcile_store(store, [], GRIDS) == []
        after = outcome(store)
        assert isinstance(before, Saved)
        assert isinstance(after, Saved)
        assert (after.mtime_ns, after.sha256) == (1_000_000_000, before.sha256)


@pytest.mark.parametrize(
    "damage", [lambda body: body + b"x", lambda body: body[:-1] + b"x"], ids=["another length", "the same length"]
)
def test_a_day_with_other_bytes_is_put_aside_and_asked_for_again(place: Path, damage: Callable[[bytes], bytes]) -> None:
    """Put aside: it may be the only copy of something."""
    damaged = damage(file_of(place).read_bytes())
    file_of(place).write_bytes(damaged)
    os.utime(file_of(place), (1, 1))
    with writing(place) as store:
        [note] = reconcile_store(store, [], GRIDS)
        assert "put aside" in note
        found = outcome(store)
        assert isinstance(found, Failed)
        assert (found.kind, store.file_of(DAY).exists()) == ("damaged", False)
    [aside] = put_aside(place)
    assert aside.read_bytes() == damaged


@pytest.mark.parametrize("file_format", ["parquet", "csv", "csv.zst"])
def test_a_whole_file_without_a_record_is_adopted(tmp_path: Path, file_format: str) -> None:
    """Printed, read, checked and hashed: the record is the one that was lost."""
    place = tmp_path / "store"
    small_store(place, file_format)
    with reading(place) as store:
        lost = outcome(store)
    forget(place)
    with writing(place) as store:
        [note] = reconcile_store(store, [DAY], GRIDS)
        assert "adopted" in note
        found = outcome(store)
        assert isinstance(found, Saved)
        assert isinstance(lost, Saved)
        for name in ("sha256", "bytes", "mtime_ns", "content", "vendor_bytes", "vendor_xxh3", "rows", "proof"):
            assert getattr(found, name) == getattr(lost, name), name


def test_a_file_of_a_day_that_failed_later_is_adopted_too(place: Path) -> None:
    """The line that speaks of the file is another one than the last."""
    with writing(place) as store:
        store.ledger.record(Failed(DAY, Asked(""), "internal", "why"), AT)
        reconcile_store(store, [], GRIDS)
        assert isinstance(outcome(store), Saved)


def test_an_orphan_whose_first_byte_flipped_is_put_aside(place: Path) -> None:
    """All its rows can be read, but not by everybody."""
    content = file_of(place).read_bytes()
    file_of(place).write_bytes(b"Q" + content[1:])
    forget(place)
    with writing(place) as store:
        [note] = reconcile_store(store, [DAY], GRIDS)
        assert "does not begin as a Parquet file does" in note
        assert isinstance(outcome(store), Failed)


@pytest.mark.parametrize("file_format", ["parquet", "csv", "csv.zst"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"cut"])
def test_a_file_without_a_record_that_is_not_whole_is_put_aside(
    tmp_path: Path, file_format: str, content: bytes
) -> None:
    """Never deleted, and never believed."""
    place = tmp_path / "store"
    small_store(place, file_format)
    path = file_of(place)
    wrong = path.read_bytes()[: path.stat().st_size // 2] if content == b"cut" else content
    path.write_bytes(wrong)
    forget(place)
    with writing(place) as store:
        [note] = reconcile_store(store, [DAY], GRIDS)
        assert "put aside" in note or "kept aside" in note
        found = outcome(store)
        assert isinstance(found, Failed)
        assert not store.file_of(DAY).exists()
    [aside] = put_aside(place)
    assert aside.read_bytes() == wrong


def test_a_whole_file_of_another_day_is_not_adopted(place: Path) -> None:
    """Somebody has copied Tuesday over Wednesday."""
    file_of(place).write_bytes(file_of(place, Shard(HOURLY, DAYS[1])).read_bytes())
    forget(place)
    with writing(place) as store:
        reconcile_store(store, [DAY], GRIDS)
        assert isinstance(outcome(store), Failed)


def test_a_lacking_day_without_a_record_is_kept_for_accept(place: Path) -> None:
    """Whole as a file, but not as a day: a person may have accepted it before the line was lost."""
    with writing(place) as store:
        save(store, DAY, answer(DAY, contracts=LACKING))
    forget(place)
    with writing(place) as store:
        [note] = reconcile_store(store, [DAY], GRIDS)
        assert "accept" in note
        found = outcome(store)
        assert isinstance(found, Failed)
        assert found.kind == "incomplete"
        assert store.volume.root.joinpath(found.kept).is_file()


def test_the_day_of_a_damaged_line_is_looked_at_though_nobody_wants_it(place: Path) -> None:
    """The ledger says that its days are looked at; a run over other days does it."""
    ledger = place / ".thetabulk" / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    number = next(index for index, line in enumerate(lines) if b'"outcome"' in line and b"2024-07-31" in line)
    lines[number] = lines[number].replace(b'"rows":', b'"rowz":')
    ledger.write_bytes(b"".join(lines))
    with writing(place) as store:
        assert DAY not in store.ledger.days
        [note] = reconcile_store(store, [Shard(HOURLY, DAYS[0])], GRIDS)
        assert "adopted" in note
        assert isinstance(outcome(store), Saved)


def test_days_of_other_collections_are_not_mixed_up(place: Path) -> None:
    """A file is looked for at the place of its own Shard only."""
    other = Shard(Collection("option/quote/1h", "right=call", "QQQ"), DAY.day)
    with writing(place) as store:
        assert reconcile_store(store, [other], GRIDS) == []
        assert other not in store.ledger.days


@pytest.fixture
def twelve(tmp_path: Path) -> Path:
    """A store that has lost most of its twelve days."""
    place = tmp_path / "twelve"
    small_store(place, days=())
    with writing(place) as store:
        days = [Shard(HOURLY, DAYS[0].replace(day=number)) for number in range(1, 13)]
        for shard in days:
            save(store, shard, listed=False)
        for shard in days[:11]:
            store.file_of(shard).unlink()
    return place


def test_a_drive_that_has_lost_so_much_is_hardly_the_right_one(twelve: Path) -> None:
    """Exit 4, a person is asked, and nothing is recorded."""
    before = (twelve / ".thetabulk" / "ledger.jsonl").read_bytes()
    with writing(twelve) as store, pytest.raises(DriveGone, match="11 of 12"):
        reconcile_store(store, [], GRIDS)
    assert (twelve / ".thetabulk" / "ledger.jsonl").read_bytes() == before


def test_a_drive_that_cannot_be_read_is_gone_and_nothing_is_put_aside(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the drive is no damage of the file."""
    os.utime(file_of(place), (1, 1))
    with FaultyOs() as calls, on_a_faulty_drive(place, calls, monkeypatch) as store:
        calls.arm(1, OSError(errno.EIO, "input/output error"), named="read")
        with pytest.raises(DriveGone):
            reconcile_store(store, [], GRIDS)
        assert isinstance(outcome(store), Saved)
        assert outcome(store).proof is Proof.FULL  # type: ignore[union-attr]
    assert put_aside(place) == []
