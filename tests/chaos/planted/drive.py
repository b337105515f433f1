"""Bugs in how bytes get to the drive."""

import os
from pathlib import Path, PurePosixPath
from typing import Any

from tests.chaos.planted import bug, put
from thetabulk.store.disk import Disk
from thetabulk.store.part import Part
from thetabulk.store.volume import Volume


@bug
def no_fsync() -> None:
    """Files are renamed as they are: the classic that leaves 0 bytes under a final name."""
    put("thetabulk.store.disk.Disk.sync", lambda self, descriptor: "full")


@bug
def no_folder_fsync() -> None:
    put("thetabulk.store.disk.Disk.sync_folder", lambda self, folder: "full")


@bug
def no_read_back() -> None:
    put("thetabulk.store.part.Part._read_back", lambda self, sync: "off")


@bug
def naive() -> None:
    """Write, rename, flush the ledger: how everyone begins. (Without the flush alone, reading back past the cache
    still makes the system write the file out, and a power cut finds it there by luck.)"""
    no_fsync()
    no_read_back()


@bug
def append_to_a_part() -> None:
    """An attempt goes on where a killed one ended, and counts what it finds: databento's blind "ab"."""
    begin = Part.__init__

    def open_again(self: Disk, path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)

    def begin_again(self: Part, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        found = self.path.read_bytes()
        self._size = len(found)
        self._running.update(found)

    put("thetabulk.store.disk.Disk.create", open_again)
    put("thetabulk.store.part.Part.__init__", begin_again)
    put("thetabulk.assembly.stores.remove_stale_parts", lambda volume: 0)


@bug
def make_the_root() -> None:
    """What is not there is made, wherever the path leads to now."""

    def made(self: Volume, relative: PurePosixPath) -> Path:
        folder = self.path(relative)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    put("thetabulk.store.volume.Volume.folder", made)
    put("thetabulk.store.volume.Volume.check", lambda self: None)


@bug
def second_fsync() -> None:
    """A flush that failed is tried again, and succeeds over lost pages (PostgreSQL's "fsyncgate")."""
    once = Disk._sync

    def twice(self: Disk, descriptor: int, plain: Any) -> Any:
        try:
            return once(self, descriptor, plain)
        except OSError:
            return once(self, descriptor, plain)

    put("thetabulk.store.disk.Disk._sync", twice)


@bug
def cached_read_back() -> None:
    """What is read back comes from the page cache, and is always right."""
    put("thetabulk.store.disk.Disk.bypass_cache", lambda self, descriptor: True)
