import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from thetabulk.errors import DiskFull, DriveGone, NotPermitted, ThetabulkError
from thetabulk.store.faults import classify_oserror, takes_files, translated

TABLE = [
    (DriveGone, ["EIO", "ENODEV", "ENXIO", "ENOTCONN", "ECONNABORTED", "ESTALE", "EBADMSG"]),
    (DiskFull, ["ENOSPC", "EDQUOT"]),
    (NotPermitted, ["EROFS", "EACCES", "EPERM", "ELOOP"]),
    (ThetabulkError, ["EMFILE", "ENFILE", "EFBIG"]),
]
NAMED = [(kind, name) for kind, names in TABLE for name in names]


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_every_refusal_of_the_system_has_one_meaning(kind: type[ThetabulkError], name: str) -> None:
    """And says what it is about and what to do."""
    error = OSError(getattr(errno, name), "so it says")
    assert classify_oserror(error) is kind
    with pytest.raises(kind) as caught, translated(Path("/drive/file")):
        raise error
    assert type(caught.value) is kind
    assert caught.value.what.startswith("/drive/file: ")
    assert caught.value.hint
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("winerror", "kind"),
    [(5, NotPermitted), (19, NotPermitted), (32, NotPermitted), (21, DriveGone), (1117, DriveGone), (112, DiskFull)],
)
def test_windows_says_it_with_its_own_numbers(winerror: int, kind: type[ThetabulkError]) -> None:
    """Several of them share one errno, so they come first."""
    error = OSError(errno.EINVAL, "so it says")
    error.winerror = winerror  # type: ignore[attr-defined, unused-ignore]
    assert classify_oserror(error) is kind
    with pytest.raises(kind) as caught, translated(Path("file"), platform="win32"):
        raise error
    assert caught.value.hint


def test_no_foreign_exception_slips_through() -> None:
    """What the table does not know is an internal error with a path, not a traceback of somebody else's."""
    unknown = FileNotFoundError(errno.ENOENT, "No such file", "/drive/other")
    assert classify_oserror(unknown) is None
    with pytest.raises(ThetabulkError, match="/drive/other") as caught, translated(Path("/drive")):
        raise unknown
    assert caught.value.exit_code == 1


def test_only_errors_of_the_system_are_translated() -> None:
    """Ours pass as they are, and so does a mistake of ours."""
    with pytest.raises(DiskFull, match="as it was"), translated(Path("x")):
        raise DiskFull("as it was")
    with pytest.raises(ZeroDivisionError), translated(Path("x")):
        raise ZeroDivisionError


def test_the_mac_explains_its_privacy_settings() -> None:
    """EPERM on a removable volume there is a missing consent, not a missing right."""
    with pytest.raises(NotPermitted) as caught, translated(Path("/Volumes/SSD"), platform="darwin"):
        raise PermissionError(errno.EPERM, "Operation not permitted")
    assert "Privacy" in caught.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count files")
@pytest.mark.parametrize(
    ("files", "free_files", "free_bytes", "text"),
    [
        (1000, 0, 10**9, "no room for more files"),
        (1000, 5, 10**9, "the drive is full"),
        (0, 0, 10**9, "no room for more files"),  # FAT and exFAT count none: a folder that is full
        (0, 0, 10**6, "the drive is full"),
    ],
)
def test_no_room_for_more_files_is_told_apart_from_a_full_drive(
    files: int, free_files: int, free_bytes: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are ENOSPC, and exit code 5; the numbers of the file system tell, also about a file that was not made."""
    found = SimpleNamespace(f_files=files, f_favail=free_files, f_bavail=free_bytes // 512, f_frsize=512)
    monkeypatch.setattr(os, "statvfs", lambda path: found)
    with pytest.raises(DiskFull, match=text), translated(tmp_path / "new" / "file"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert takes_files(tmp_path) == (free_files > 0 or not files)
