"""What this machine can do: a test that lacks its tool is skipped with the reason, never silently passed."""

import multiprocessing
import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest


def _own_mounts() -> bool:
    """A mount namespace of our own, so that nothing leaks into the machine: run.sh makes one, and says so."""
    return os.environ.get("CHAOS_OWN_MOUNTS") == "yes"


def _program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


_HAS: dict[str, tuple[Callable[[], bool], str]] = {
    "forks": (lambda: "forkserver" in multiprocessing.get_all_start_methods(), "this system does not fork"),
    "root": (lambda: hasattr(os, "geteuid") and os.geteuid() == 0, "not root"),
    "mounts": (_own_mounts, "no mount namespace of its own (run it by `make chaos`)"),
    "strace": (_program("strace"), "strace is not installed"),
    "fuse": (lambda: Path("/dev/fuse").exists() and find_spec("mfusepy") is not None, "no /dev/fuse, or no mfusepy"),
    "loop": (lambda: Path("/dev/loop-control").exists() and _program("losetup")(), "no loop devices"),
    "ext4": (_program("mkfs.ext4"), "mkfs.ext4 is not installed"),
    "exfat": (lambda: _program("mkfs.exfat")() and _program("mount.exfat-fuse")(), "exFAT tools are not installed"),
}


def lacking(*names: str) -> str:
    """Why a test cannot run here; "" if it can."""
    return "; ".join(why for has, why in (_HAS[name] for name in ("forks", *names)) if not has())


def needs(*names: str) -> pytest.MarkDecorator:
    why = lacking(*names)
    return pytest.mark.skipif(bool(why), reason=why)
