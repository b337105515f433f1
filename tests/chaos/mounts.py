"""Images, loop devices and mounts, all below one folder, all gone when it goes."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


PREFIX = f"chaos-{os.getpid()}-"
"""Of every folder in which this process mounts anything: two lanes do not see each other's."""


def call(*command: str | Path, check: bool = True) -> str:
    """The output of a system tool; its complaint, if it fails."""
    done = subprocess.run(
        [str(word) for word in command], env={**os.environ, "PATH": _PATH}, capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        raise OSError(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def standing() -> set[str]:
    """What this process has mounted and not unmounted, and its loop devices, as lines to compare."""
    mounted = {line.split()[4] for line in _mountinfo()}
    return {one for one in mounted | set(_loops()) if f"/{PREFIX}" in one}


def below(folder: Path) -> list[Path]:
    """The mount points below a folder, the innermost first."""
    points = [line.split()[4].replace("\\040", " ") for line in _mountinfo()]
    return [Path(point) for point in reversed(points) if Path(point).is_relative_to(folder)]


def clear(folder: Path) -> None:
    """Unmounts everything below a folder, and lets go of the loop devices over files in it."""
    for point in below(folder):
        call("umount", "-l", point, check=False)
    for line in _loops():
        device, _, file = line.partition(" ")
        if Path(file.strip().removesuffix(" (deleted)")).is_relative_to(folder):
            call("losetup", "--detach", device, check=False)


def image(path: Path, size_bytes: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size_bytes)
    return path


def make_ext4(path: Path) -> None:
    """A small one: all initialised beforehand, so that only our own writes follow; nothing reserved for root."""
    lazy = "lazy_itable_init=0,lazy_journal_init=0"
    call("mkfs.ext4", "-q", "-F", "-m", "0", "-b", "1024", "-J", "size=1", "-E", lazy, path)


def make_exfat(path: Path) -> None:
    call("mkfs.exfat", path)


class Loop:
    """A block device over a file."""

    def __init__(self, file: Path) -> None:
        self.device = call("losetup", "--find", "--show", file)

    def detach(self) -> None:
        call("losetup", "--detach", self.device, check=False)


def mount_ext4(device: str, point: Path) -> None:
    call("mount", "-t", "ext4", "-o", "nodiscard", device, point)


class ExfatDaemon:
    """The real exFAT driver in user space. Killing it is pulling the plug."""

    def __init__(self, device: str, point: Path, options: Sequence[str] = ()) -> None:
        self._point = point
        command = ["mount.exfat-fuse", "-d", *options, device, str(point)]
        self._process = subprocess.Popen(
            command, env={**os.environ, "PATH": _PATH}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(lambda: point in below(point), f"{point} is not mounted")

    def pull(self) -> None:
        """SIGKILL: every call on the mount point fails from now on."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def unmount(self) -> None:
        call("umount", self._point)
        self._process.wait()


def wait_for(happens: Callable[[], bool], otherwise: str, seconds: float = 10.0) -> None:
    """Until it happens; AssertionError with a sentence if it does not."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)


def _loops() -> list[str]:
    if shutil.which("losetup", path=_PATH) is None:
        return []
    return call("losetup", "--noheadings", "--output", "NAME,BACK-FILE", check=False).splitlines()


def _mountinfo() -> list[str]:
    with suppress(OSError):
        return Path("/proc/self/mountinfo").read_text().splitlines()
    return []
