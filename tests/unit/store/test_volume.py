import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from tests.unit.store.faulty_os import FaultyOs, Killed, faulty_disk, plain_disk
from thetabulk.errors import DiskFull, DriveGone, NotPermitted, ThetabulkError, UsageError
from thetabulk.store.volume import IDENTITY, Identity, Volume, create_store, find_store, open_store, read_identity

IDENTITY_OF_A = Identity("aaaa-1", "parquet", "double", "simulator", datetime(2026, 11, 20, 12, tzinfo=UTC))
IDENTITY_OF_B = replace(IDENTITY_OF_A, store="bbbb-2")
DAY = PurePosixPath("option/quote/1m/symbol=QQQ/year=2024/QQQ-2024-08-02.parquet")


def create(path: Path, identity: Identity = IDENTITY_OF_A) -> Volume:
    return create_store(path, identity, disk=plain_disk())


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_a_new_store_says_what_it_is(tmp_path: Path) -> None:
    """The identity lies on the drive itself, readable by a person."""
    volume = create(tmp_path / "store")
    assert json.loads((tmp_path / "store" / IDENTITY).read_text()) == {
        "store": "aaaa-1",
        "version": 1,
        "format": "parquet",
        "prices": "double",
        "source": "simulator",
        "created": "2026-11-20T12:00:00Z",
    }
    assert everything(tmp_path / "store") == {
        IDENTITY,
        ".thetabulk",
        *(f".thetabulk/{name}" for name in ("tmp", "quarantine", "contracts")),
    }
    assert volume.identity == IDENTITY_OF_A
    assert volume.free_bytes() > 0


def test_a_store_opens_again_as_it_was_made(tmp_path: Path) -> None:
    """Whoever opens it, from wherever the drive is mounted now."""
    create(tmp_path / "store")
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    volume = open_store(tmp_path / "elsewhere", disk=plain_disk(), expect_id="aaaa-1")
    assert volume.identity == IDENTITY_OF_A
    assert volume.root == tmp_path / "elsewhere"
    volume.check()


def test_marks_are_there_before_the_store_is_one(tmp_path: Path) -> None:
    """A run that is killed while it makes the store leaves either no store, or one that has them."""
    mark = PurePosixPath(".thetabulk", "asked.json")
    with FaultyOs() as calls:
        create_store(tmp_path / "whole", IDENTITY_OF_A, disk=faulty_disk(calls), marks={mark: b"{}"})
        made = len(calls.calls)
    assert (tmp_path / "whole" / mark).read_bytes() == b"{}"
    for at in range(1, made + 1):
        place = tmp_path / f"killed at {at}"
        with FaultyOs(at=at, error=Killed(), sticky=True) as calls, pytest.raises(Killed):
            create_store(place, IDENTITY_OF_A, disk=faulty_disk(calls), marks={mark: b"{}"})
        assert not (place / IDENTITY).exists() or (place / mark).read_bytes() == b"{}"


def test_nothing_above_the_store_is_ever_made(tmp_path: Path) -> None:
    """The parent of an unmounted drive's folder looks just like this."""
    with pytest.raises(UsageError, match="does not exist"):
        create(tmp_path / "drive" / "store")
    assert everything(tmp_path) == set()


def place_of_a_file(path: Path) -> None:
    path.write_text("mine")


def place_of_a_store(path: Path) -> None:
    create(path, IDENTITY_OF_B)


def place_inside_a_store(path: Path) -> None:
    create(path.parent, IDENTITY_OF_B)


def place_of_a_store_without_identity(path: Path) -> None:
    create(path, IDENTITY_OF_B)
    (path / ".thetabulk" / "ledger.jsonl").touch()
    (path / IDENTITY).unlink()


@pytest.mark.parametrize(
    "occupy", [place_of_a_file, place_of_a_store, place_inside_a_store, place_of_a_store_without_identity]
)
def test_an_occupied_place_is_left_as_it_is(tmp_path: Path, occupy: Callable[[Path], None]) -> None:
    """No store over a file, over another store, inside one, or over the remains of one."""
    occupy(tmp_path / "store")
    before = everything(tmp_path)
    with pytest.raises(UsageError):
        create(tmp_path / "store")
    assert everything(tmp_path) == before


def test_a_folder_with_other_things_may_become_a_store(tmp_path: Path) -> None:
    """The top of a drive always holds something already."""
    (tmp_path / "photos").mkdir()
    create(tmp_path)
    assert "photos" in everything(tmp_path)


@pytest.mark.parametrize("place", ["SSD 4TB", "SSD 4TB/store"])
def test_where_drives_are_mounted_only_a_mount_point_will_do(tmp_path: Path, place: str) -> None:
    """A pulled drive leaves its folder behind, on the internal disk: predecessors filled that."""
    zone = tmp_path / "Volumes"
    (zone / "SSD 4TB").mkdir(parents=True)
    for mounted in (set[Path](), {zone}, {tmp_path}):
        with pytest.raises(DriveGone, match="not mounted"):
            create_store(
                zone / place, IDENTITY_OF_A, disk=plain_disk(), is_mount_point=mounted.__contains__, zones=[zone]
            )
    assert everything(zone) == {"SSD 4TB"}
    mounted = {zone / "SSD 4TB"}
    volume = create_store(
        zone / place, IDENTITY_OF_A, disk=plain_disk(), is_mount_point=mounted.__contains__, zones=[zone]
    )
    assert volume.root == zone / place


def test_a_drive_may_be_mounted_on_mnt_itself(tmp_path: Path) -> None:
    """By hand, as people do; nobody mounts on /Volumes."""
    zone = tmp_path / "mnt"
    zone.mkdir()
    create_store(zone / "store", IDENTITY_OF_A, disk=plain_disk(), is_mount_point={zone}.__contains__, zones=[zone])


@pytest.mark.parametrize(
    "wrong", [{"store": "../../x"}, {"store": ""}, {"format": "xlsx"}, {"prices": "float"}, {"source": "guess"}]
)
def test_an_identity_that_no_store_can_have_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Made by us it is a mistake; found on a drive it is damage, and its id names no file here."""
    with pytest.raises(ValueError, match="not"):
        create(tmp_path / "store", replace(IDENTITY_OF_A, **wrong))
    create(tmp_path / "store")
    fields = json.loads((tmp_path / "store" / IDENTITY).read_text())
    (tmp_path / "store" / IDENTITY).write_text(json.dumps(fields | wrong))
    with pytest.raises(UsageError, match="damaged"):
        open_store(tmp_path / "store", disk=plain_disk())


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "{}", '{"version": 1}', '{"version": null}', "\x00" * 200, "ÿ"])
def test_a_damaged_identity_is_told(tmp_path: Path, text: str) -> None:
    """Never guessed, never written anew."""
    create(tmp_path / "store")
    (tmp_path / "store" / IDENTITY).write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match="damaged"):
        open_store(tmp_path / "store", disk=plain_disk())


def test_a_store_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    """It may mean things that this version would break."""
    create(tmp_path / "store")
    file = tmp_path / "store" / IDENTITY
    file.write_text(file.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(UsageError, match="newer"):
        open_store(tmp_path / "store", disk=plain_disk())


def test_a_known_store_that_is_not_there_means_the_drive_is_not_mounted(tmp_path: Path) -> None:
    """The same path, never seen before, is only a mistake in the command line."""
    for path in (tmp_path / "store", tmp_path / "no" / "store", tmp_path):
        with pytest.raises(DriveGone, match="not mounted"):
            open_store(path, disk=plain_disk(), known=True)
        with pytest.raises(DriveGone, match="not mounted"):
            open_store(path, disk=plain_disk(), expect_id="aaaa-1")
        with pytest.raises(UsageError, match="not a store"):
            open_store(path, disk=plain_disk())
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        open_store(tmp_path / "file", disk=plain_disk())
    assert everything(tmp_path) == {"file"}


def test_a_drive_pulled_between_two_looks_is_gone(tmp_path: Path) -> None:
    """The identity was just read; a moment later the folder is not there."""
    create(tmp_path / "store")
    with FaultyOs(at=1, named="stat", error=FileNotFoundError(errno.ENOENT, "no such folder")) as calls:
        with pytest.raises(DriveGone, match="not mounted"):
            open_store(tmp_path / "store", disk=faulty_disk(calls), known=True)
    assert calls.count == 1


@pytest.mark.skipif(os.open not in os.supports_dir_fd, reason="this system holds no folders")
def test_a_folder_that_is_exchanged_while_it_is_held_is_told(tmp_path: Path) -> None:
    """What was put into it is not where its path leads now."""
    volume = create(tmp_path / "store")
    with pytest.raises(NotPermitted, match="exchanged"), volume.held(DAY.parent):
        volume.path(DAY.parent).rename(tmp_path / "elsewhere")
        volume.path(DAY.parent).mkdir()


def test_another_drive_under_the_same_path_is_refused(tmp_path: Path) -> None:
    """Two drives of one make are both called `SSD 4TB`."""
    create(tmp_path / "store", IDENTITY_OF_B)
    with pytest.raises(DriveGone, match="another store"):
        open_store(tmp_path / "store", disk=plain_disk(), expect_id="aaaa-1")


def gone(root: Path) -> None:
    root.rename(root.with_name("pulled"))


def empty(root: Path) -> None:
    gone(root)
    root.mkdir()


def exchanged(root: Path) -> None:
    gone(root)
    create(root, IDENTITY_OF_B)


def damaged(root: Path) -> None:
    (root / IDENTITY).write_text("{")


@pytest.mark.parametrize("happen", [gone, empty, exchanged, damaged])
def test_a_change_of_drive_is_seen_before_anything_is_written(tmp_path: Path, happen: Callable[[Path], None]) -> None:
    """Unplugged, left as an empty folder, exchanged: the same question before each commit."""
    volume = create(tmp_path / "store")
    volume.check()
    happen(tmp_path / "store")
    with pytest.raises(DriveGone):
        volume.check()


def test_the_same_store_on_another_file_system_is_another_drive(tmp_path: Path) -> None:
    """A copy of the store, identity and all, that a lazy unmount has uncovered."""
    volume = create(tmp_path / "store")
    with pytest.raises(DriveGone):
        replace(volume, device=volume.device + 1).check()


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOTCONN, errno.ENXIO, errno.ESTALE])
def test_a_drive_that_does_not_answer_is_gone(tmp_path: Path, number: int) -> None:
    """Whichever call meets it first."""
    create(tmp_path / "store")
    with FaultyOs() as calls:
        volume = open_store(tmp_path / "store", disk=faulty_disk(calls))
        calls.arm(1, OSError(number, "dead"), sticky=True)
        for act in (volume.check, lambda: volume.folder(DAY.parent), lambda: volume.facts(DAY)):
            with pytest.raises(DriveGone):
                act()


def test_folders_are_made_below_the_root_only(tmp_path: Path) -> None:
    """When the root is gone, its name is not made again."""
    volume = create(tmp_path / "store")
    assert volume.folder(DAY.parent) == tmp_path / "store" / DAY.parent
    assert volume.folder(DAY.parent).is_dir()
    gone(tmp_path / "store")
    with pytest.raises(DriveGone):
        volume.folder(DAY.parent)
    assert not (tmp_path / "store").exists()


def test_a_folder_that_landed_on_another_file_system_is_taken_back(tmp_path: Path) -> None:
    """The drive may go between the check and the mkdir."""
    volume = replace(create(tmp_path / "store"), device=-1)
    with pytest.raises(DriveGone):
        volume.folder(DAY.parent)
    assert not (tmp_path / "store" / "option").exists()


def test_a_symbolic_link_in_the_tree_is_refused(tmp_path: Path) -> None:
    """Nothing is made or written where it leads."""
    volume = create(tmp_path / "store")
    (tmp_path / "outside").mkdir()
    (tmp_path / "store" / "option").symlink_to(tmp_path / "outside")
    with pytest.raises(NotPermitted, match="link"):
        volume.folder(DAY.parent)
    assert everything(tmp_path / "outside") == set()


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x"])
def test_a_path_that_leaves_the_store_is_refused(tmp_path: Path, path: str) -> None:
    """Whatever it came from."""
    with pytest.raises(UsageError):
        create(tmp_path / "store").path(PurePosixPath(path))


def test_facts_are_those_of_a_plain_file_at_the_very_path(tmp_path: Path) -> None:
    """None is "there is nothing"; a link or a folder there is not permitted."""
    volume = create(tmp_path / "store")
    assert volume.facts(DAY) is None
    (volume.folder(DAY.parent) / DAY.name).write_bytes(b"12345")
    os.utime(volume.path(DAY), ns=(0, 1_700_000_000_123_456_789))
    assert volume.facts(DAY) == (5, 1_700_000_000_123_456_789)
    with pytest.raises(NotPermitted):
        volume.facts(DAY.parent)


def test_a_file_moves_inside_the_store_and_over_nothing(tmp_path: Path) -> None:
    """Into quarantine, and out of it when it is accepted."""
    volume = create(tmp_path / "store")
    (volume.folder(DAY.parent) / DAY.name).write_bytes(b"1")
    aside = PurePosixPath(".thetabulk/quarantine") / DAY
    volume.move(DAY, aside)
    assert (volume.facts(DAY), volume.path(aside).read_bytes()) == (None, b"1")
    volume.path(DAY).write_bytes(b"2")
    with pytest.raises(UsageError, match="already"):
        volume.move(DAY, aside)
    assert (volume.path(DAY).read_bytes(), volume.path(aside).read_bytes()) == (b"2", b"1")


def test_a_drive_that_came_back_under_another_name_is_found(tmp_path: Path) -> None:
    """macOS mounts it as `SSD 1` while a leftover `SSD` is in its way."""
    (tmp_path / "SSD 1" / "market").mkdir(parents=True)
    create(tmp_path / "SSD 1" / "market" / "store")
    (tmp_path / "OTHER").mkdir()
    create(tmp_path / "OTHER" / "store", IDENTITY_OF_B)
    known = tmp_path / "SSD" / "market" / "store"
    candidates = [tmp_path / "none", tmp_path / "OTHER", tmp_path / "SSD 1"]
    assert find_store(known, "aaaa-1", disk=plain_disk(), candidates=candidates) == (
        tmp_path / "SSD 1" / "market" / "store"
    )
    assert find_store(known, "cccc-3", disk=plain_disk(), candidates=candidates) is None


def test_a_store_half_made_is_no_store_and_can_be_made(tmp_path: Path) -> None:
    """Killed at every call in turn: either the store is there whole, or making it again works."""
    with FaultyOs() as calls:
        create_store(tmp_path / "counted", IDENTITY_OF_A, disk=faulty_disk(calls))
        total = len(calls.calls)
    for at in range(1, total + 1):
        path = tmp_path / f"store{at}"
        with FaultyOs(at=at, error=Killed(), sticky=True) as calls, pytest.raises(Killed):
            create_store(path, IDENTITY_OF_A, disk=faulty_disk(calls))
        if not path.is_dir() or read_identity(path, disk=plain_disk()) is None:
            create(path)
        assert open_store(path, disk=plain_disk()).identity == IDENTITY_OF_A


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, DiskFull), (errno.EROFS, NotPermitted)])
def test_a_drive_that_cannot_take_a_store_says_so(tmp_path: Path, number: int, kind: type[ThetabulkError]) -> None:
    """With the exit code of the cause."""
    with FaultyOs(at=1, named="mkdir", error=OSError(number, "no")) as calls, pytest.raises(kind):
        create_store(tmp_path / "store", IDENTITY_OF_A, disk=faulty_disk(calls))
