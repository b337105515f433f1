"""Is it still the drive we began on? A store knows itself by a file on its own drive (reliability.md §4.5).

The rule that everything here serves: never a byte on the wrong volume. A pulled drive leaves its mount point behind, an
empty folder on the internal disk, and predecessors filled that.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from thetabulk.errors import DriveGone, NotPermitted, ThetabulkError, UsageError
from thetabulk.store import drives
from thetabulk.store.disk import Disk
from thetabulk.store.layout import CONTRACTS, FORMATS, INTERNAL, QUARANTINE, TMP

IDENTITY = "thetabulk.json"
VERSION = 1
PRICES = ("double", "decimal")
SOURCES = ("terminal", "simulator")
_STORE_ID = re.compile(r"[A-Za-z0-9-]{1,64}")  # it names lock files on this machine, and comes from a foreign drive


@dataclass(frozen=True, slots=True)
class Identity:
    """What a store is, for ever: one store, one format, one source."""

    store: str
    format: str
    prices: str
    source: str
    created: datetime
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Volume:
    """An open store. `device` is the number of the file system on which it was opened; `filesystem` its kind or ""."""

    root: Path
    identity: Identity
    device: int
    filesystem: str
    disk: Disk

    def path(self, relative: PurePosixPath) -> Path:
        """The place of a store-relative path; nothing above the store can be named."""
        if relative.is_absolute() or ".." in relative.parts:
            raise UsageError(f"{relative} is not inside the store")
        return self.root.joinpath(*relative.parts)

    def check(self) -> None:
        """DriveGone unless the same store lies on the same file system as when it was opened. Before every commit."""
        with self.disk.translated(self.root):
            try:
                device = self.disk.stat(self.root).st_dev
                found = read_identity(self.root, disk=self.disk)
            except (FileNotFoundError, NotADirectoryError):
                found = None
            except UsageError as error:
                raise DriveGone(error.what, hint=error.hint) from error
        if found is None or device != self.device:
            raise _gone(self.root)
        if found.store != self.identity.store:
            raise _another(self.root)

    @contextmanager
    def translated(self, path: Path) -> Iterator[None]:
        """OSErrors of the block as ours; what no table knows (a missing file) is first taken for a missing drive."""
        try:
            with self.disk.translated(path):
                yield
        except ThetabulkError as error:
            if type(error) is ThetabulkError:
                self.check()
            raise

    def folder(self, relative: PurePosixPath) -> Path:
        """The folder, made where it is missing, level by level below the root, never the root itself.

        NotPermitted if a symbolic link leads out; DriveGone if what was made turns out to lie on another file system.
        """
        folder, wanted = self.root, self.path(relative)
        with self.translated(wanted):
            for part in relative.parts:
                folder = folder / part
                if self.disk.make_folder(folder) and self.disk.stat(folder).st_dev != self.device:
                    self.disk.remove_folder(folder)
                    raise _gone(self.root)
                if os.path.normcase(os.path.realpath(folder)) != os.path.normcase(folder):
                    raise NotPermitted(f"{folder} is a symbolic link", hint="remove it; a store holds none")
        return wanted

    @contextmanager
    def held(self, relative: PurePosixPath) -> Iterator[int | None]:
        """The folder, as `folder` makes it, held while something is put into it (`Disk.held`): it cannot be exchanged
        for a link between the look and the call. NotPermitted if it was, and its path leads elsewhere afterwards."""
        path = self.folder(relative)
        with self.translated(path), self.disk.held(self.root, relative) as folder:
            yield folder
            with self.disk.held(self.root, relative) as again:
                if not self.disk.same(folder, again):
                    raise _exchanged(path)

    def confirm(self, relative: PurePosixPath, descriptor: int) -> None:
        """NotPermitted unless the open file is the one at this path, reached without a link: a file that was opened by
        its path may be elsewhere, and must not be written to."""
        path = self.path(relative)
        with self.translated(path), self.disk.held(self.root, relative.parent) as folder:
            if not self.disk.is_in(folder, path.name, descriptor):
                self.check()
                raise _exchanged(path.parent)

    def facts(self, relative: PurePosixPath) -> tuple[int, int] | None:
        """(size, mtime in ns) of the file at this path, or None. Only as true as a `check` just before."""
        path = self.path(relative)
        with self.translated(path):
            return self.disk.file_facts(path)

    def move(self, source: PurePosixPath, target: PurePosixPath) -> None:
        """A durable rename inside the store, into quarantine or out of it. UsageError if the target is taken."""
        self.check()
        with self.held(target.parent) as folder, self.translated(self.path(source)):
            if self.disk.file_facts(self.path(target), folder) is not None:
                raise UsageError(f"{self.path(target)} is there already")
            self.disk.replace(self.path(source), self.path(target), folder)
            self.disk.sync_folder(self.path(target).parent)
            self.disk.sync_folder(self.path(source).parent)

    def free_bytes(self) -> int:
        with self.disk.translated(self.root):
            return shutil.disk_usage(self.root).free


def create_store(
    path: Path,
    identity: Identity,
    *,
    disk: Disk,
    marks: Mapping[PurePosixPath, bytes] | None = None,
    is_mount_point: Callable[[Path], bool] = drives.is_mount_point,
    zones: Iterable[Path] = drives.ZONES,
) -> Volume:
    """Make a store at the path and open it. The identity is written last, so half a store is no store; `marks` are
    files that it has from its first moment on.

    The folder may be new, its parent not (UsageError). Where external drives are mounted, something on the way must be
    a mount point (DriveGone). UsageError too if a file, a store, or the remains of one are in the way.
    """
    _check_identity(identity)
    root = Path(os.path.realpath(path))
    with disk.translated(root):
        check_place(root, is_mount_point=is_mount_point, zones=zones)
        if not root.exists():
            disk.make_folder(root)
        for folder in (PurePosixPath(INTERNAL), TMP, QUARANTINE, CONTRACTS):
            disk.make_folder(root.joinpath(*folder.parts))
        for place, content in (marks or {}).items():
            disk.write_file(root.joinpath(*place.parts), content)
        fields = {**asdict(identity), "created": f"{identity.created.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        disk.write_file(root / IDENTITY, json.dumps(fields, indent=2).encode("ascii") + b"\n")
    return open_store(root, disk=disk, expect_id=identity.store)


def check_place(
    root: Path, *, is_mount_point: Callable[[Path], bool] = drives.is_mount_point, zones: Iterable[Path] = drives.ZONES
) -> None:  # fmt: skip
    """Whether `create_store` would make a store at this real path; it raises what that would. Nothing is made."""
    _refuse_unmounted(root, is_mount_point, zones)
    _refuse_occupied(root)


def open_store(path: Path, *, disk: Disk, expect_id: str = "", known: bool = False) -> Volume:
    """The store at the path. `known` (or `expect_id`): this machine has seen a store there.

    DriveGone if a known store is not there, or another one is; UsageError if there never was one, if a file is in its
    place, if its identity cannot be read, or if a newer thetabulk made it.
    """
    root = Path(os.path.realpath(path))
    with disk.translated(root):
        if root.exists() and not root.is_dir():
            raise UsageError(f"{root} is a file, not a store")
        try:
            identity = read_identity(root, disk=disk)
            device = disk.stat(root).st_dev if identity else 0
        except (FileNotFoundError, NotADirectoryError):
            identity = None
    if identity is None and (known or expect_id):
        raise _gone(root)
    if identity is None:
        raise UsageError(f"{root} is not a store", hint="`thetabulk download SYMBOL --store DIR` makes one")
    if expect_id and identity.store != expect_id:
        raise _another(root)
    return Volume(root, identity, device, drives.filesystem_of(root, drives.mount_table()), disk)


def read_identity(root: Path, *, disk: Disk) -> Identity | None:
    """The identity of the store at `root`, None if there is no such file. UsageError if it is damaged or too new."""
    try:
        text = disk.read(root / IDENTITY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fields: dict[str, Any] = json.loads(text)
        if int(fields["version"]) > VERSION:
            raise UsageError(f"{root} was made by a newer thetabulk", hint="update this one")
        store, file_format, prices, source = (str(fields[name]) for name in ("store", "format", "prices", "source"))
        identity = Identity(store, file_format, prices, source, datetime.fromisoformat(fields["created"]))
        _check_identity(identity)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{root / IDENTITY} is damaged", hint="compare it with a mirror's") from error
    return identity


def find_store(path: Path, store_id: str, *, disk: Disk, candidates: Iterable[Path]) -> Path | None:
    """Where the store went: macOS mounts a drive as `NAME 1` while a leftover `NAME` is in its way.

    `candidates` are the mount points of now; the store is looked for at the same place below each.
    """
    tails = [path.parts[start:] for start in range(2, len(path.parts) + 1)]
    for place in (candidate.joinpath(*tail) for candidate in candidates for tail in tails):
        with suppress(OSError, ThetabulkError):
            found = read_identity(place, disk=disk)
            if found is not None and found.store == store_id:
                return place
    return None


def _check_identity(identity: Identity) -> None:
    """ValueError for what no store can be."""
    if not _STORE_ID.fullmatch(identity.store):
        raise ValueError(f"{identity.store!r} is not a store's id")
    if identity.format not in FORMATS or identity.prices not in PRICES or identity.source not in SOURCES:
        raise ValueError(f"a store of {identity.format}, {identity.prices}, {identity.source} is not known")


def _refuse_unmounted(root: Path, is_mount_point: Callable[[Path], bool], zones: Iterable[Path]) -> None:
    """In the places for external drives, something between there and the store has to be a mount point."""
    for zone in zones:
        if root.is_relative_to(zone):
            way = [folder for folder in (root, *root.parents) if folder.is_relative_to(zone)]
            if zone.name != "mnt":  # a drive is mounted on /mnt itself by hand, never on /Volumes or /media
                way.remove(zone)
            if not any(is_mount_point(folder) for folder in way):
                raise _gone(root)
    if root.anchor and not Path(root.anchor).exists():  # pragma: no cover - only Windows can lack a root (`E:\\`)
        raise _gone(root)


def _refuse_occupied(root: Path) -> None:
    if INTERNAL in root.parts or any((above / IDENTITY).exists() for above in root.parents):
        raise UsageError(f"{root} lies inside another store", hint="choose a folder beside it")
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file, so no store can be made there")
    if not root.exists() and not root.parent.is_dir():
        raise UsageError(f"{root.parent} does not exist", hint="make it first; only the store's own folder is made")
    if (root / IDENTITY).exists():
        raise UsageError(f"{root} is a store already")
    if any((root / INTERNAL / name).exists() for name in ("ledger.jsonl", "ledger.jsonl.1")):
        raise UsageError(f"{root} is a store without its {IDENTITY}", hint="put it back, or choose another folder")


def _exchanged(folder: Path) -> NotPermitted:
    return NotPermitted(f"{folder} was exchanged for another folder meanwhile", hint="who else changes the store?")


def _gone(root: Path) -> DriveGone:
    return DriveGone(f"the drive of {root} is not mounted", hint="plug it in; `--wait` waits for it")


def _another(root: Path) -> DriveGone:
    return DriveGone(f"{root} is another store than before", hint="is it the right drive? `thetabulk store info` tells")
