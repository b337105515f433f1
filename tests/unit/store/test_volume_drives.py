from pathlib import Path

from thetabulk.store.drives import Mount, filesystem_of, mounted_drives, parse_mounts

TABLE = r"""
/dev/nvme0n1p2 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
/dev/sda1 /media/ana/SSD\0404TB exfat rw,nosuid 0 0
/dev/sdb1 /run/media/ana/OLD ntfs3 ro,nosuid 0 0
tmpfs /mnt/scratch tmpfs rw 0 0
/dev/sdc1 /mnt/dead ext4 rw 0 0
/dev/sdd1 /mnt/x ext4 rw 0 0
//nas/share /mnt/x cifs rw 0 0
torn line
"""
SSD = Path("/media/ana/SSD 4TB")


def usage(path: Path) -> tuple[int, int, int]:
    if path.name == "dead":
        raise OSError("no answer")
    return 1000, 100, {"SSD 4TB": 900, "OLD": 50}.get(path.name, 10)


def test_the_mount_table_is_read_with_its_blanks() -> None:
    """The founding user's drive is called `SSD 4TB`."""
    mounts = parse_mounts(TABLE)
    assert Mount(SSD, "exfat", read_only=False) in mounts
    assert Mount(Path("/run/media/ana/OLD"), "ntfs3", read_only=True) in mounts


def test_the_file_system_is_that_of_the_deepest_and_last_mount() -> None:
    """A drive mounted over another hides it."""
    mounts = parse_mounts(TABLE)
    assert filesystem_of(SSD / "store", mounts) == "exfat"
    assert filesystem_of(Path("/media/ana/SSD 4TB 1"), mounts) == "ext4"
    assert filesystem_of(Path("/mnt/x/y"), mounts) == "cifs"
    assert filesystem_of(Path("/anything"), ()) == ""


def test_external_drives_are_offered_with_most_room_first() -> None:
    """What a person can choose from: no memory file systems, nothing that does not answer."""
    drives = mounted_drives(platform="linux", mounts=parse_mounts(TABLE), usage=usage)
    assert [(drive.path.name, drive.filesystem, drive.free_bytes, drive.read_only) for drive in drives] == [
        ("SSD 4TB", "exfat", 900, False),
        ("OLD", "ntfs3", 50, True),
        ("x", "cifs", 10, False),
    ]


def test_the_system_disk_and_leftover_folders_are_no_drives_on_a_mac(tmp_path: Path) -> None:
    """/Volumes holds a link to the system disk, and folders that a pulled drive left behind."""
    (tmp_path / "Macintosh HD").symlink_to("/")
    (tmp_path / "SSD 4TB").mkdir()
    assert mounted_drives(platform="darwin", volumes=tmp_path, usage=usage) == []
    assert [drive.path for drive in mounted_drives(platform="darwin", volumes=Path("/"), usage=usage)] != []
    assert mounted_drives(platform="darwin", volumes=tmp_path / "none", usage=usage) == []
