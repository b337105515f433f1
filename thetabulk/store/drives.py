"""What is mounted where: facts about the machine, for the messages and for the guard against unmounted drives."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ZONES = (Path("/Volumes"), Path("/media"), Path("/run/media"), Path("/mnt"))
"""Where systems mount external drives. A folder in there that is not on a mount point lies on the internal disk."""

_TABLE = Path("/proc/self/mounts")
_NOT_DRIVES = {"autofs", "devpts", "devtmpfs", "overlay", "proc", "ramfs", "squashfs", "sysfs", "tmpfs"}


@dataclass(frozen=True, slots=True)
class Mount:
    path: Path
    filesystem: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Drive:
    """A drive that a store could live on. `filesystem` is "" where the system does not tell it cheaply."""

    path: Path
    filesystem: str
    free_bytes: int
    total_bytes: int
    read_only: bool = False


def mount_table() -> tuple[Mount, ...]:
    """Linux's own; () elsewhere."""
    try:
        return parse_mounts(_TABLE.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        return ()


def parse_mounts(text: str) -> tuple[Mount, ...]:
    """/proc/mounts: device, place, file system, options, two numbers; blanks in names are octal (proc(5))."""
    lines = (line.split(" ") for line in text.splitlines())
    return tuple(
        Mount(Path(_plain(fields[1])), fields[2], "ro" in fields[3].split(",")) for fields in lines if len(fields) >= 4
    )


def filesystem_of(path: Path, mounts: Iterable[Mount]) -> str:
    """The file system that holds the path: of the mounts above it the deepest, and of several there the last."""
    above = [mount for mount in mounts if path.is_relative_to(mount.path)]
    deepest = max((len(mount.path.parts) for mount in above), default=0)
    return next((mount.filesystem for mount in reversed(above) if len(mount.path.parts) == deepest), "")


def is_mount_point(path: Path) -> bool:
    """Also for bind mounts on one file system, which `os.path.ismount` does not see."""
    return os.path.ismount(path) or any(mount.path == path for mount in mount_table())


def mounted_drives(
    *,
    platform: str = sys.platform,
    mounts: Iterable[Mount] | None = None,
    volumes: Path = ZONES[0],
    usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage,
) -> list[Drive]:
    """The external drives that are mounted now, most free space first. One that does not answer is left out."""
    if platform == "darwin":
        found = _mac_volumes(volumes)
    elif platform == "win32":
        found = _windows_letters()
    else:
        found = [mount for mount in (mount_table() if mounts is None else mounts) if _is_external(mount)]
    drives = []
    for mount in {mount.path: mount for mount in found}.values():
        try:
            total, _, free = usage(mount.path)
        except OSError:
            continue
        drives.append(Drive(mount.path, mount.filesystem, free, total, mount.read_only))
    return sorted(drives, key=lambda drive: -drive.free_bytes)


def _is_external(mount: Mount) -> bool:
    in_zone = any(mount.path.is_relative_to(zone) for zone in ZONES)
    return in_zone and mount.filesystem not in _NOT_DRIVES and not mount.filesystem.startswith("fuse.gvfs")


def _mac_volumes(volumes: Path) -> list[Mount]:
    """The system disk stands among the volumes as a symbolic link."""
    try:
        entries = sorted(volumes.iterdir())
    except OSError:
        return []
    return [Mount(entry, "", read_only=False) for entry in entries if not entry.is_symlink() and os.path.ismount(entry)]


def _windows_letters() -> list[Mount]:
    system = Path.home().drive.upper()
    roots = (Path(f"{letter}:\\") for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if f"{letter}:" != system)
    return [Mount(root, "", read_only=False) for root in roots if root.exists()]


def _plain(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal.group(1), 8)), text)
