"""The store's place, judged."""

from pathlib import Path

import pytest

from thetabulk.assembly.doctor.place import Place, filesystem_finding, findings, room_finding, store_finding
from thetabulk.config import DoctorConfig, StoreConfig
from thetabulk.errors import DriveGone
from thetabulk.report.findings import Level

ROOT = Path("/media/jo/T9/options")


def place(**facts: object) -> Place:
    return Place(**({"given": ROOT, "root": ROOT, "exists": True, "source": "terminal"} | facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("ext4", Level.OK), ("apfs", Level.OK), ("ntfs", Level.OK), ("exfat", Level.OK), ("fuseblk", Level.OK),
        ("", Level.OK), ("vfat", Level.WARN), ("msdos", Level.WARN), ("fat32", Level.WARN), ("tmpfs", Level.WARN),
        ("overlay", Level.WARN), ("nfs4", Level.WARN), ("smbfs", Level.WARN),
    ],
)  # fmt: skip
def test_a_file_system_is_judged_by_its_kind(kind: str, level: Level) -> None:
    """As Linux, macOS and Windows name them; what is not named is no reason for alarm."""
    assert filesystem_finding(place(filesystem=kind)).level is level


@pytest.mark.parametrize(
    ("free", "level", "code"),
    [(10 << 30, Level.OK, 0), (4 << 30, Level.WARN, 0), (536_870_911, Level.PROBLEM, 5), (0, Level.PROBLEM, 5)],
)
def test_room_is_what_a_download_needs(free: int, level: Level, code: int) -> None:
    """Below the floor no transfer starts."""
    found = room_finding(place(free_bytes=free), StoreConfig(), DoctorConfig())
    assert (found.level, found.code) == (level, code)


@pytest.mark.parametrize(
    ("source", "simulator", "level"),
    [
        ("terminal", False, Level.OK), ("simulator", True, Level.OK), ("terminal", None, Level.OK),
        ("terminal", True, Level.PROBLEM), ("simulator", False, Level.PROBLEM), ("", True, Level.OK),
    ],
)  # fmt: skip
def test_real_and_simulated_data_never_mix(source: str, level: Level, *, simulator: bool | None) -> None:
    """While nobody answers there is nothing to compare; a store that is still to be made takes either."""
    assert store_finding(place(source=source), simulator).level is level


def test_a_store_behind_a_link_says_where_it_lies() -> None:
    """Both paths: the one that was typed, and the real one."""
    found = store_finding(place(given=Path("/home/jo/options")), None)
    assert (found.level, found.text) == (Level.OK, "/media/jo/T9/options (by way of /home/jo/options)")


def test_of_a_store_that_cannot_be_opened_only_that_is_told() -> None:
    """Neither its room nor its file system, which would be those of another disk."""
    found = findings(place(trouble=DriveGone("gone", hint="plug it in")), StoreConfig(), DoctorConfig(), None)
    assert [(each.check, each.code, each.advice) for each in found] == [("store", 4, "plug it in")]
