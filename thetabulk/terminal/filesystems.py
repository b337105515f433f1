"""Which kind of file system is mounted where, on every system: Linux tells it in a table, the others to psutil."""

from pathlib import Path

import psutil


def mounted() -> tuple[tuple[Path, str], ...]:
    """Places and kinds in lower case, as the system names them: ext4, apfs, exfat, vfat, msdos, fuseblk, ntfs …"""
    try:
        return tuple((Path(each.mountpoint), each.fstype.lower()) for each in psutil.disk_partitions(all=True))
    except (psutil.Error, OSError):
        return ()
