import ctypes
import errno
import hashlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest

from tests.unit.store.faulty_os import FaultyOs, Killed, faulty_disk, plain_disk
from thetabulk.errors import AttemptError, DiskFull, DriveGone, NotPermitted, ThetabulkError
from thetabulk.store.disk import Disk
from thetabulk.store.layout import TMP
from thetabulk.store.part import Committed, Part, remove_stale_parts
from thetabulk.store.volume import IDENTITY, Identity, Volume, create_store, open_store

IDENTITY_OF_A = Identity("aaaa-1", "parquet", "double", "simulator", datetime(2026, 11, 20, tzinfo=UTC))
DAY = PurePosixPath("option/quote/1m/symbol=QQQ/year=2024/QQQ-2024-08-02.parquet")
NAME = TMP / "option+quote+1m+QQQ-2024-08-02.1.part"
BODY = bytes(range(256)) * 9_000  # 2.3 MB: several blocks, the last not full
OLD = b"the day as it was saved before"
CHUNK = 700_000

on_linux = pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="the calls of Linux; macOS's have fakes")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return create_store(tmp_path / "store", IDENTITY_OF_A, disk=plain_disk()).root


def opened(root: Path, disk: Disk | None = None, filesystem: str = "ext4") -> Volume:
    return replace(open_store(root, disk=disk or plain_disk()), filesystem=filesystem)


def save(volume: Volume, body: bytes = BODY, *, readback: bool = True) -> Committed:
    with Part(volume, NAME, readback=readback) as part:
        for start in range(0, len(body), CHUNK):
            part.write(body[start : start + CHUNK])
        return part.commit(DAY)


def put_old(root: Path) -> None:
    (root / DAY).parent.mkdir(parents=True)
    (root / DAY).write_bytes(OLD)


def files(root: Path) -> set[str]:
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    return found - {IDENTITY}


def test_a_committed_day_lies_whole_under_its_name(root: Path) -> None:
    """And what is told of it is what is there."""
    committed = save(opened(root))
    facts = (root / DAY).stat()
    assert (root / DAY).read_bytes() == BODY
    assert committed == Committed(
        hashlib.sha256(BODY).hexdigest(), len(BODY), facts.st_mtime_ns, "full", committed.readback
    )
    assert files(root) == {str(DAY)}


def test_an_empty_file_and_single_bytes_are_files_too(root: Path) -> None:
    """The gather buffer has no favourite size."""
    assert save(opened(root), b"").bytes == 0
    with Part(opened(root), NAME) as part:
        assert [part.write(bytes([n])) for n in range(5)] == [1] * 5
        assert part.tell() == 5
        part.commit(DAY)
    assert (root / DAY).read_bytes() == bytes(range(5))


def test_no_final_name_exists_before_the_commit(root: Path) -> None:
    """What has a day's name has passed."""
    with Part(opened(root), NAME) as part:
        part.write(BODY)
        part.flush()
        part.close()
        assert files(root) == {str(NAME)}
        assert part.path.read_bytes() == BODY  # complete for whoever proves it before the commit


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, GeneratorExit])
def test_leaving_without_a_commit_leaves_nothing(root: Path, error: type[BaseException] | None) -> None:
    """However the block ends."""
    put_old(root)
    volume = opened(root)

    def leave() -> None:
        with Part(volume, NAME) as part:
            part.write(BODY)
            if error is not None:
                raise error

    if error is None:
        leave()
    else:
        with pytest.raises(error):
            leave()
    assert files(root) == {str(DAY)}
    assert (root / DAY).read_bytes() == OLD


def test_a_second_attempt_never_writes_into_the_first_ones_file(root: Path) -> None:
    """A name is taken once; the new attempt brings its own."""
    with Part(opened(root), NAME), pytest.raises(ThetabulkError, match="exists"):
        Part(opened(root), NAME)


def test_pyarrow_and_others_see_a_binary_file_that_can_only_be_written(root: Path) -> None:
    """It has no way back: no seeking, no reading."""
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"bid": [1.0, 2.0, 3.0] * 100_000})
    with Part(opened(root), NAME) as part:
        assert (part.writable(), part.readable(), part.seekable(), part.closed) == (True, False, False, False)
        with pq.ParquetWriter(part, table.schema) as writer:
            writer.write_table(table)
        part.commit(DAY)
        assert (part.writable(), part.closed) == (False, True)
        with pytest.raises(ValueError, match="closed"):
            part.write(b"more")
    assert pq.ParquetFile(root / DAY).read().equals(table)


def test_an_error_of_the_drive_reaches_the_caller_through_pyarrow(root: Path) -> None:
    """Though the writer tries to finish the file on its way out."""
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"bid": list(range(1_000_000))})

    def save_table(volume: Volume) -> None:
        with Part(volume, NAME) as part, pq.ParquetWriter(part, table.schema) as writer:
            for _ in range(4):
                writer.write_table(table)

    with FaultyOs(at=1, named="write", error=OSError(errno.ENOSPC, "full")) as calls:
        volume = opened(root, faulty_disk(calls))
        with pytest.raises(DiskFull):
            save_table(volume)
    assert files(root) == set()


def test_a_writer_that_swallows_an_error_cannot_commit_what_it_left_out(root: Path) -> None:
    """The error of the drive is the commit's too, and nothing is synced or renamed after it."""
    put_old(root)
    with FaultyOs(at=1, named="write", error=OSError(errno.ENOSPC, "full")) as calls:
        with Part(opened(root, faulty_disk(calls)), NAME) as part:
            for _ in range(2):
                with pytest.raises(DiskFull):
                    part.write(BODY)
            with pytest.raises(DiskFull):
                part.commit(DAY)
        assert not {"fsync", "replace"} & set(calls.calls[calls.calls.index("write") :])
    assert (root / DAY).read_bytes() == OLD
    assert files(root) == {str(DAY)}


def test_what_was_written_is_known_before_it_is_committed(root: Path) -> None:
    """A mirror compares it with the record, and takes nothing that differs."""
    with Part(opened(root), NAME) as part:
        part.write(BODY)
        part.close()
        assert part.sha256 == hashlib.sha256(BODY).hexdigest()


def test_who_reads_a_part_again_hears_of_a_pulled_drive_in_our_words(root: Path) -> None:
    """A day is printed again before its commit; a path that is no longer there is no mistake of ours."""
    with Part(opened(root), NAME) as part:
        part.write(BODY)
        part.close()
        with part.reading() as path:
            assert path.read_bytes() == BODY
        root.rename(root.with_name("pulled"))
        with pytest.raises(DriveGone), part.reading() as path:
            path.read_bytes()


def test_how_a_day_was_committed_is_told_to_whoever_wants_to_know(root: Path) -> None:
    """Once for each day, after its name is in place."""
    told: list[Committed] = []
    with Part(opened(root), NAME, tell=told.append) as part:
        part.write(BODY)
        assert told == []
        committed = part.commit(DAY)
    assert told == [committed]


def test_what_the_system_takes_in_small_bites_is_written_whole(root: Path) -> None:
    """Short writes are normal."""
    with FaultyOs() as calls:
        calls.instead["write"] = lambda descriptor, content: os.write(descriptor, content[:65_537])
        save(opened(root, faulty_disk(calls)))
    assert (root / DAY).read_bytes() == BODY


@pytest.mark.parametrize(
    "damage",
    [
        lambda descriptor, content: os.write(descriptor, bytes([content[0] ^ 1]) + bytes(content[1:])),
        lambda descriptor, content: os.write(descriptor, bytes(len(content))),
        lambda descriptor, content: len(content),
        lambda descriptor, content: min(500_000, os.write(descriptor, content)),
    ],
    ids=["a flipped bit", "a lost cluster", "nothing written", "a lie about how much"],
)
def test_a_drive_that_stores_other_bytes_is_found_out(root: Path, damage: Callable[[int, bytes], int]) -> None:
    """Every byte is read back before the name is given; the old file stays."""
    put_old(root)
    with FaultyOs() as calls:
        calls.instead["write"] = damage
        with pytest.raises(AttemptError) as caught:
            save(opened(root, faulty_disk(calls)))
    assert caught.value.kind == "read-back"
    assert files(root) == {str(DAY)}
    assert (root / DAY).read_bytes() == OLD


@pytest.mark.parametrize("left", [b"", None], ids=["cut", "gone"])
def test_a_file_that_changes_on_its_way_to_its_name_is_not_called_committed(root: Path, left: bytes | None) -> None:
    """Somebody else was there between the rename and the last look: the day is asked again, not recorded."""
    with FaultyOs() as calls:

        def meddled(scratch: Path, name: str, **place: int) -> None:
            os.replace(scratch, name, **place)  # noqa: PTH105 - beside a folder that is held
            final = root / DAY
            final.unlink()
            if left is not None:
                final.write_bytes(left)

        calls.instead["replace"] = meddled
        with pytest.raises(AttemptError, match="changed while") as caught:
            save(opened(root, faulty_disk(calls)))
    assert caught.value.kind == "read-back"


@on_linux
@pytest.mark.parametrize(
    ("filesystem", "expected"),
    [
        ("ext4", "cache-bypassed"),
        ("exfat", "cache-bypassed"),
        ("fuseblk", "cached"),
        ("tmpfs", "cached"),
        ("", "cached"),
    ],
)
def test_only_a_known_file_system_is_said_to_be_read_past_its_cache(root: Path, filesystem: str, expected: str) -> None:
    """Behind FUSE another process caches too; of the rest we know nothing."""
    assert save(opened(root, filesystem=filesystem)).readback == expected


@on_linux
def test_reading_back_can_be_switched_off_only_where_a_journal_is(root: Path) -> None:
    """Never on exFAT, on an unknown file system, or where the sync is degraded."""
    assert save(opened(root), readback=False).readback == "off"
    for filesystem in ("exfat", "vfat", ""):
        assert save(opened(root, filesystem=filesystem), readback=False).readback != "off"
    with FaultyOs(at=1, named="fsync", error=OSError(errno.ENOTTY, "no")) as calls:
        committed = save(opened(root, faulty_disk(calls)), readback=False)
    assert (committed.sync, committed.readback) == ("degraded", "cache-bypassed")


def test_a_failed_sync_is_never_tried_again(root: Path) -> None:
    """The file goes: the next sync would call lost pages safe."""
    put_old(root)
    with FaultyOs(at=1, named="fsync", error=OSError(errno.EIO, "bad sector")) as calls:
        volume = opened(root, faulty_disk(calls))
        with Part(volume, NAME) as part:
            part.write(BODY)
            with pytest.raises(DriveGone):
                part.commit(DAY)
            with pytest.raises(ValueError, match="over"):
                part.commit(DAY)
    assert calls.calls.count("fsync") == 1
    assert files(root) == {str(DAY)}
    assert (root / DAY).read_bytes() == OLD


def test_an_error_that_appears_only_at_closing_counts(root: Path) -> None:
    """EDQUOT and ENOSPC may come so late."""
    volume = opened(root)
    with FaultyOs() as calls:
        part = Part(replace(volume, disk=faulty_disk(calls)), NAME)
        part.write(BODY)
        calls.arm(1, OSError(errno.EDQUOT, "quota"), named="close")
        with pytest.raises(DiskFull):
            part.commit(DAY)
    assert files(root) == set()


def test_an_unplugged_drive_gets_no_byte_and_the_internal_disk_neither(root: Path) -> None:
    """The store's folder is now an empty one on the internal disk."""
    volume = opened(root)
    part = Part(volume, NAME)
    part.write(BODY)
    root.rename(root.with_name("pulled"))
    root.mkdir()
    with pytest.raises(DriveGone):
        part.commit(DAY)
    with pytest.raises(DriveGone):
        Part(volume, NAME)
    assert list(root.iterdir()) == []


def test_a_drive_exchanged_between_two_looks_gets_no_day(root: Path) -> None:
    """The scratch is still readable, and yet it is another store."""
    with Part(opened(root), NAME) as part:
        part.write(BODY)
        (root / IDENTITY).write_text((root / IDENTITY).read_text().replace("aaaa-1", "bbbb-2"))
        with pytest.raises(DriveGone, match="another store"):
            part.commit(DAY)
    assert files(root) == set()


@on_linux
def test_the_protocol_is_kept_to_the_letter(root: Path) -> None:
    """Sync before close before reading back before the rename before the folder's sync; folders are synced as made."""
    with FaultyOs() as calls:
        volume = opened(root, faulty_disk(calls))
        with Part(volume, NAME) as part:
            part.write(b"x")
            calls.calls.clear()
            part.commit(DAY)
    steps = " ".join(calls.calls)
    written_and_read_back = "write fsync close open posix_fadvise read read close "
    checked = "stat open read read close "
    made = "mkdir open fsync close stat "
    reached = "open " + "open close " * 5  # level by level, no link followed: before and after
    put_in_place = "replace open fsync close lstat "
    assert steps == (
        written_and_read_back + checked + made * 5 + reached + put_in_place + reached + "fstat fstat close close"
    )


def test_a_folder_that_cannot_be_synced_makes_the_commit_degraded(root: Path) -> None:
    """The file is on the medium, its name perhaps not."""
    put_old(root)
    with FaultyOs() as calls:
        volume = opened(root, faulty_disk(calls))
        calls.arm(2, OSError(errno.EINVAL, "no"), named="fsync")
        assert save(volume).sync == "degraded"


def test_a_link_planted_in_the_tree_stops_the_commit(root: Path) -> None:
    """Neither the scratch nor the final file leaves the store."""
    outside = root.with_name("outside")
    outside.mkdir()
    (root / "option").symlink_to(outside)
    with pytest.raises(NotPermitted):
        save(opened(root))
    (root / TMP).rmdir()
    (root / TMP).symlink_to(outside)
    with pytest.raises(NotPermitted):
        save(opened(root))
    assert list(outside.iterdir()) == []


def exchange(folder: Path, outside: Path) -> None:
    """What a hostile or careless other program does: the folder is moved away, a link stands in its place."""
    folder.rename(folder.with_name("moved away"))
    folder.symlink_to(outside)


@on_linux
@pytest.mark.parametrize("call", ["replace", "lstat"])
@pytest.mark.parametrize("level", ["option", DAY.parent])
def test_a_folder_exchanged_for_a_link_just_before_the_rename_gets_no_day(root: Path, call: str, level: str) -> None:
    """The day goes into the folder that was looked at, wherever that is now, and is not called saved."""
    outside = root.with_name("outside")
    (outside / DAY.relative_to("option").parent).mkdir(parents=True)
    (outside / DAY.name).write_bytes(OLD)
    with FaultyOs() as calls:
        volume = opened(root, faulty_disk(calls))
        volume.folder(DAY.parent)

        def late(*arguments: object, **place: int) -> object:
            if not (root / level).is_symlink():
                exchange(root / level, outside)
            return getattr(os, call)(*arguments, **place)

        calls.instead[call] = late
        with pytest.raises(NotPermitted, match=r"exchanged|symbolic link"):
            save(volume)
    assert [path.read_bytes() for path in outside.rglob("*") if path.is_file()] == [OLD]


@on_linux
def test_a_scratch_that_was_made_elsewhere_gets_not_a_byte(root: Path) -> None:
    """Its folder was exchanged while it was opened, and put back."""
    outside = root.with_name("outside")
    outside.mkdir()
    with FaultyOs() as calls:
        volume = opened(root, faulty_disk(calls))

        def elsewhere(path: Path | str, flags: int, *mode: int, **place: int) -> int:
            if flags & os.O_CREAT:
                path = outside / Path(path).name
            return os.open(path, flags, *mode, **place)

        calls.instead["open"] = elsewhere
        with pytest.raises(NotPermitted, match="exchanged"):
            save(volume)
        assert not calls.opened
    assert [path.read_bytes() for path in outside.iterdir()] == [b""]
    assert files(root) == set()


@on_linux
def test_folders_that_are_exchanged_all_the_time_let_nothing_out(root: Path) -> None:
    """Another thread swaps them for links and back while days are saved: a day is refused, or lies in the store."""
    volume, outside, over = opened(root), root.with_name("outside"), threading.Event()
    volume.folder(DAY.parent)
    for place in (TMP, DAY.parent.relative_to("option")):
        (outside / place).mkdir(parents=True)
    pairs = [(root / "option", root / "link"), (root / TMP, root / "link to tmp")]
    pairs[0][1].symlink_to(outside)
    pairs[1][1].symlink_to(outside / TMP)

    libc = ctypes.CDLL(None, use_errno=True)

    def swap() -> None:
        """Both names at once, so that nothing is missing for a moment (renameat2 with RENAME_EXCHANGE)."""
        while not over.wait(0.002):  # whole and exchanged in turn, so that both can happen to a day
            for folder, link in pairs:
                for _ in range(2):
                    assert libc.renameat2(-100, bytes(folder), -100, bytes(link), 2) == 0

    other, saved, refused = threading.Thread(target=swap), 0, 0
    other.start()
    try:
        deadline = time.monotonic() + 60
        while (saved < 5 or refused < 20) and time.monotonic() < deadline:
            try:
                save(volume, b"a day")
            except (ThetabulkError, AttemptError):
                refused += 1
            else:
                saved += 1
    finally:
        over.set()
        other.join()
    assert saved >= 5
    assert refused >= 20
    remove_stale_parts(volume)  # as the next start does
    save(volume, b"a day")  # a refused one whose scratch was exchanged as well may have left an empty file
    assert {path.read_bytes() for path in root.rglob(DAY.name)} == {b"a day"}
    assert {path.read_bytes() for path in outside.rglob("*") if path.is_file()} <= {b""}


def test_scratch_files_of_dead_runs_go_and_nothing_else(root: Path) -> None:
    """Only what we could have left."""
    for name in ("a.part", "._a.part", "b.part", "notes.txt", "._c.part"):
        (root / TMP / name).touch()
    assert remove_stale_parts(opened(root)) == 2
    assert {path.name for path in (root / TMP).iterdir()} == {"notes.txt", "._c.part"}
    (root / TMP / "notes.txt").unlink()
    (root / TMP / "._c.part").unlink()
    (root / TMP).rmdir()
    assert remove_stale_parts(opened(root)) == 0
    assert save(opened(root)).bytes == len(BODY)  # the folder is made again


def test_scratch_files_behind_a_link_are_left_alone(root: Path) -> None:
    """They are not ours, whatever they are called."""
    (root / TMP).rename(root.with_name("mine"))
    (root.with_name("mine") / "a.part").touch()
    (root / TMP).symlink_to(root.with_name("mine"))
    with pytest.raises(NotPermitted, match="symbolic link"):
        remove_stale_parts(opened(root))
    assert (root.with_name("mine") / "a.part").exists()


def calls_of_a_save(root: Path) -> int:
    with FaultyOs() as calls:
        volume = opened(root, faulty_disk(calls))
        calls.calls.clear()
        save(volume)
        return len(calls.calls)


def test_killed_at_any_call_the_name_holds_the_old_day_or_the_new(root: Path) -> None:
    """Every call of the protocol in turn; what is left besides is scratch, and goes at the next start."""
    put_old(root)
    for at in range(1, calls_of_a_save(root) + 1):
        (root / DAY).write_bytes(OLD)
        with FaultyOs() as calls:
            volume = opened(root, faulty_disk(calls))
            calls.arm(at, Killed(), sticky=True)
            with pytest.raises(Killed):
                save(volume)
        assert (root / DAY).read_bytes() in {OLD, BODY}
        remove_stale_parts(opened(root))
        assert files(root) == {str(DAY)}


ERRORS = [errno.EIO, errno.ENOSPC, errno.EROFS, errno.ENODEV, errno.ENOTCONN, errno.EMFILE, errno.ENOTTY]


@pytest.mark.parametrize("number", ERRORS)
@pytest.mark.parametrize("sticky", [False, True], ids=["once", "for good"])
def test_an_error_at_any_call_saves_the_day_or_says_why_not(root: Path, number: int, sticky: bool) -> None:
    """No false success, no half file, no foreign exception, no second sync of the same file."""
    put_old(root)
    succeeded = 0
    for at in range(1, calls_of_a_save(root) + 1):
        (root / DAY).write_bytes(OLD)
        with FaultyOs() as calls:
            volume = opened(root, faulty_disk(calls))
            calls.arm(at, OSError(number, "no"), sticky=sticky)
            try:
                committed = save(volume)
            except (ThetabulkError, AttemptError):
                assert (root / DAY).read_bytes() in {OLD, BODY}
                assert calls.calls[at - 1] != "fsync" or calls.calls[at - 1 :].count("fsync") == 1
            else:
                succeeded += 1
                assert (root / DAY).read_bytes() == BODY
                assert committed.sha256 == hashlib.sha256(BODY).hexdigest()
                assert calls.calls[at - 1] in {"posix_fadvise", "fsync"}  # the only ones that may fail unheard
            assert not calls.opened
        remove_stale_parts(opened(root))
        assert files(root) == {str(DAY)}
    assert succeeded <= 4
