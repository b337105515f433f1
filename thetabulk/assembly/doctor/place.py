"""The store and the drive it lies on: is it there, may we write, is there room, can the file system hold it?"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from thetabulk.assembly import stores
from thetabulk.assembly.limits import SMALL_FILES
from thetabulk.config import DoctorConfig, Resolved, StoreConfig
from thetabulk.errors import DiskFull, DriveGone, NotPermitted, ThetabulkError, UsageError
from thetabulk.report.findings import Finding, ok, problem, warn
from thetabulk.report.units import size
from thetabulk.store import drives, layout
from thetabulk.store.drives import Mount
from thetabulk.store.volume import IDENTITY, check_place, open_store

_PASSING = frozenset(("tmpfs", "ramfs", "overlay"))
_NETWORK = ("nfs", "nfs4", "cifs", "smb", "smb3", "smbfs", "afpfs", "webdav", "fuse.sshfs", "fuse.rclone", "9p")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is, or will be. `root` is None if none is known; `trouble` is what keeps us from opening it;
    `writable`, `free_bytes` are of the folder that holds it, or will. `links`: symbolic links inside, which a store
    must not have. `known` are times of its files."""

    given: Path | None
    root: Path | None = None
    trouble: ThetabulkError | None = None
    exists: bool = False
    source: str = ""
    mirror: bool = False
    writable: bool = True
    free_bytes: int = 0
    filesystem: str = ""
    links: tuple[Path, ...] = ()
    known: tuple[datetime, ...] = ()


def look(resolved: Resolved, mounted: Iterable[tuple[Path, str]]) -> Place:
    """The facts. Opens nothing for writing, remembers nothing. OSError if the drive does not answer."""
    try:
        given, _ = stores.locate(resolved)
    except UsageError:
        return Place(None)
    root = Path(os.path.realpath(given))
    try:
        if given.is_symlink() and not root.exists():
            raise DriveGone(f"{given} leads to {root}, which is not there", hint="plug its drive in")
        exists = stores.exists(given) or stores.is_known(given)
        if exists:
            identity = open_store(given, disk=stores.new_disk(), known=True).identity
        else:
            check_place(root)
    except ThetabulkError as error:
        return Place(given, root, error)
    holder = root if root.is_dir() else root.parent
    table = [Mount(path, kind, read_only=False) for path, kind in mounted]
    return Place(
        given, root, None, exists, identity.source if exists else "", stores.is_mirror(root),
        os.access(holder, os.W_OK | os.X_OK), shutil.disk_usage(holder).free, drives.filesystem_of(holder, table),
        _links(root) if exists else (), _times(root) if exists else (),
    )  # fmt: skip


def _links(root: Path) -> tuple[Path, ...]:
    """The symbolic links among the folders that we write into: the first two levels tell."""
    folders = [root / layout.INTERNAL, *root.iterdir(), *(root / layout.INTERNAL).iterdir()]
    return tuple(dict.fromkeys(path for path in folders if path.is_symlink()))


def _times(root: Path) -> tuple[datetime, ...]:
    files = (root / IDENTITY, root / layout.INTERNAL / "ledger.jsonl")
    return tuple(datetime.fromtimestamp(file.stat().st_mtime, UTC) for file in files if file.is_file())


def findings(place: Place, settings: StoreConfig, doctor: DoctorConfig, simulator: bool | None) -> list[Finding]:
    """The store; its room; its file system. `simulator`: whether one answers, None if nobody does."""
    if place.given is None or place.root is None:
        return [ok("store", "none is known yet; the first download makes one")]
    if place.trouble is not None:
        trouble = place.trouble
        return [problem("store", trouble.what, trouble.hint, code=trouble.exit_code)]
    return [store_finding(place, simulator), room_finding(place, settings, doctor), filesystem_finding(place)]


def store_finding(place: Place, simulator: bool | None) -> Finding:
    if place.links:
        return problem(
            "store", f"{place.links[0]} is a symbolic link; a store holds none, and nothing is written through one",
            "put the folder itself there", code=NotPermitted.exit_code,
        )  # fmt: skip
    if not place.writable:
        return problem(
            "store", f"{place.root} cannot be written by this user, or its drive is read-only",
            "look at who owns it, and for a write-protect switch; macOS mounts NTFS drives read-only",
            code=NotPermitted.exit_code,
        )  # fmt: skip
    if place.mirror:
        return warn("store", f"{place.root} is the mirror of another store: nothing is downloaded into it")
    if place.source and simulator is not None and simulator is not (place.source == "simulator"):
        held, there = ("simulated", "a real Terminal") if place.source == "simulator" else ("real", "the simulator")
        return problem(
            "store", f"{place.root} holds {held} data, and {there} answers: the two never mix",
            "choose another --store, or another --url", code=UsageError.exit_code,
        )  # fmt: skip
    way = "" if place.given is None or place.given.absolute() == place.root else f" (by way of {place.given})"
    return ok("store", f"{place.root}{way}" if place.exists else f"{place.root}{way}: the first download makes it")


def room_finding(place: Place, settings: StoreConfig, doctor: DoctorConfig) -> Finding:
    if place.free_bytes < settings.free_floor_bytes:
        return problem(
            "room", f"{size(place.free_bytes)} are free; a download needs {size(settings.free_floor_bytes)} to begin",
            "free some space on that drive", code=DiskFull.exit_code,
        )  # fmt: skip
    if place.free_bytes < doctor.free_warn_bytes:
        return warn(
            "room", f"only {size(place.free_bytes)} are free", "what a download needs:", "thetabulk plan QQQ"
        )  # fmt: skip
    return ok("room", f"{size(place.free_bytes)} free")


def filesystem_finding(place: Place) -> Finding:
    kind = place.filesystem
    if kind in SMALL_FILES:
        return warn(
            "file system", f"{kind} holds no file of 4 GiB or more, and loses its order when unplugged",
            "copy what is on the drive, and format it as exFAT (or APFS, NTFS, ext4)",
        )  # fmt: skip
    if kind in _PASSING:
        return warn("file system", f"{kind}: gone when this machine restarts, or its container is replaced",
                    "choose a --store on a drive, or a volume of the container")  # fmt: skip
    if kind in _NETWORK:
        return warn("file system", f"{kind}: a network drive keeps locks and flushes only as well as its server",
                    "see what it does:", "thetabulk doctor --drive-test")  # fmt: skip
    if kind == "exfat":
        return ok("file system", "exfat: fine on every system, but pull it only after ejecting it")
    return ok("file system", kind or "this system does not name it; --drive-test looks at what it can do")
