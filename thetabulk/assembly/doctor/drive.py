"""`doctor --drive-test`: what the store's own drive can do, as findings (reliability.md §4.6)."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import PurePosixPath

from thetabulk.assembly import clock, stores
from thetabulk.assembly.doctor.gathering import Untold
from thetabulk.assembly.doctor.place import Place
from thetabulk.config import DoctorConfig
from thetabulk.errors import DriveGone, ThetabulkError
from thetabulk.ledger.lock import keeps_locks
from thetabulk.report.findings import Finding, ok, problem, unknown, warn
from thetabulk.report.units import rate
from thetabulk.store import layout
from thetabulk.store.drive_test import Abilities, Means, examine_drive

_FOLDER = "thetabulk-drive-test"


def try_drive(place: Place, settings: DoctorConfig) -> Abilities | ThetabulkError | None:
    """Tries the drive in a folder of its own inside the store, or beside where it will be. None: nowhere to try."""
    if place.root is None or place.trouble is not None:
        return None
    inside = place.root.joinpath(*PurePosixPath(layout.TMP).parts)
    parent = inside if inside.is_dir() else place.root if place.root.is_dir() else place.root.parent
    disk = stores.new_disk()
    means = Means(settings.drive_test_bytes, settings.drive_test_s, clock.monotonic, keeps_locks)
    folder = parent / f"{_FOLDER}-{clock.new_id()[:8]}"
    try:
        with disk.translated(parent):
            return examine_drive(folder, disk, means)
    except ThetabulkError as error:
        return error


def findings(tried: Abilities | ThetabulkError | Untold | None) -> list[Finding]:
    if tried is None:
        return [unknown("drive test", "there is no store to try it on", "name one with --store")]
    if isinstance(tried, Untold):
        return [warn("drive test", f"not finished: {tried.reason}", "a drive so slow cannot keep up with a download")]
    if isinstance(tried, ThetabulkError):
        return [problem("drive test", tried.what, tried.hint, code=tried.exit_code)]
    return [_bytes_finding(tried), _flush_finding(tried), _names_finding(tried), *_limits(tried)]


def capabilities(tried: object) -> dict[str, object] | None:
    """What was seen, for `--json`."""
    return asdict(tried) if isinstance(tried, Abilities) else None


def _bytes_finding(tried: Abilities) -> Finding:
    if not tried.intact or not tried.replaces:
        return problem(
            "drive test", "what was read back is not what was written",
            "do not use this drive, cable or hub for anything you want to keep", code=DriveGone.exit_code,
        )  # fmt: skip
    speed = f"{rate(tried.written_per_s)} written"
    if tried.past_cache:
        return ok("drive test", f"{speed}, {rate(tried.read_per_s)} read back past the cache")
    return ok("drive test", f"{speed}, flushed and re-read, past the cache or not")


def _flush_finding(tried: Abilities) -> Finding:
    if "degraded" in (tried.sync, tried.folder_sync):
        what = "files" if tried.sync == "degraded" else "names of files"
        return warn(
            "flush", f"this drive promises less than a full flush for {what}: a power cut may take the last days",
            "they are found and fetched again at the next start; eject the drive before you pull it",
        )  # fmt: skip
    return ok("flush", "files and their names are flushed to the medium")


def _names_finding(tried: Abilities) -> Finding:
    traits = [
        "a is not A" if tried.case else "a is A",
        "any name" if tried.odd_names else "no colon or final dot",
        *(["._ twins"] if tried.twins else []),
        "permissions" if tried.modes else "no permissions",
        f"times to {tried.grain_s:g} s" if tried.grain_s >= 1e-6 else "exact times",
    ]
    return ok("names", ", ".join(traits))


def _limits(tried: Abilities) -> Iterable[Finding]:
    if not tried.locks:
        yield warn("locks", "this file system keeps no locks", "never use the store from two machines at once")
    if tried.large_files is False:
        yield warn("large files", "no file of 4 GiB or more fits (FAT32, or a limit of this user)",
                   "format the drive as exFAT (or APFS, NTFS, ext4), or raise `ulimit -f`")  # fmt: skip
