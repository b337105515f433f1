"""What machine and drive put a limit to: how many files are open at once, and how large one may be."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date

from thetabulk.assembly.stores import Store
from thetabulk.config import FetchConfig
from thetabulk.errors import ThetabulkError, UsageError
from thetabulk.model import Collection, Saved
from thetabulk.plan.datasets import dataset
from thetabulk.plan.evidence import Past, Range, from_published, from_saved_days
from thetabulk.store.drive_test import LARGEST_BYTES
from thetabulk.store.drives import Mount, filesystem_of
from thetabulk.terminal.filesystems import mounted
from thetabulk.wording import counted

SMALL_FILES = frozenset(("vfat", "msdos", "fat", "fat32", "fuse.fusefat"))
FILES_A_DAY = 5
"""A day in flight has its connection and its scratch file, perhaps those of its contract list, and a folder."""

_FILES_BESIDE = 16  # ledger, lock, the loop's own, what a library opens for a moment


def open_files() -> int:
    """How many this process has now; a guess where the system does not tell."""
    with suppress(OSError):
        return len(os.listdir("/dev/fd"))  # noqa: PTH208 - it holds what it lists while it does
    return 16


def allow_open_files(wanted: int) -> int:
    """Raises this process's limit, if it is lower and may be raised. Returns what may be opened now."""
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(OSError, ValueError):  # macOS has another limit behind the one it tells
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def fewer_workers(fetch: FetchConfig, allowed: int, needed: int) -> tuple[FetchConfig, str]:
    """The settings with as many workers as there may be files, and "" or a sentence about it. `needed` files would be
    enough, `allowed` may be open. ThetabulkError if not even one worker fits."""
    if allowed >= needed:
        return fetch, ""
    workers = fetch.workers_max - -(-(needed - allowed) // FILES_A_DAY)
    if workers < 1:
        least = needed - (fetch.workers_max - 1) * FILES_A_DAY
        raise ThetabulkError(
            f"only {allowed} files may be open at once, {least} are needed for one worker",
            hint="`ulimit -n 1024` in this shell, then the same again",
        )
    fewer = replace(fetch, workers_max=workers, workers_min=min(workers, fetch.workers_min))
    said = f"only {allowed} files may be open at once: at most {counted(workers, 'worker')} of {fetch.workers_max}"
    return fewer, f"{said}; `ulimit -n 1024` allows all"


def fit_open_files(fetch: FetchConfig, *, beside: int) -> tuple[FetchConfig, str]:
    """`fewer_workers`, for this process, its limit raised where it can be; `beside` so many more days than workers are
    under way at once."""
    needed = open_files() + _FILES_BESIDE + (fetch.workers_max + beside) * FILES_A_DAY
    return fewer_workers(fetch, allow_open_files(needed), needed)


def too_large_days(store: Store, days: Mapping[Collection, Sequence[date]]) -> list[str]:
    """What is to be said where no file of 4 GiB fits (FAT32): which collections may have such days, or of which it is
    not known. UsageError if a day will certainly not fit: nothing is asked for in vain."""
    if filesystem(store) not in SMALL_FILES:
        return []
    told = []
    for collection, wanted in days.items():
        expected = _largest(store, collection, wanted)
        if expected is not None and expected.low > LARGEST_BYTES:
            raise UsageError(
                f"a day of {collection} takes {_gigabytes(expected.low)} GB, and {store.volume.root} is FAT32, "
                "which holds no file of more than 4.29 GB",
                hint="format the drive as exFAT, or ask for less: --max-dte, a longer --interval, --format parquet",
            )
        size = "of unknown size" if expected is None else f"of up to {_gigabytes(expected.high)} GB"
        if expected is None or expected.high > LARGEST_BYTES:
            told.append(f"{collection}: days {size}, on FAT32, which holds no file of more than 4.29 GB; exFAT does")
    return told


def filesystem(store: Store) -> str:
    """The kind of the store's file system; Linux tells it to all, the others to psutil."""
    if store.volume.filesystem:
        return store.volume.filesystem
    return filesystem_of(store.volume.root, [Mount(place, kind, read_only=False) for place, kind in mounted()])


def _largest(store: Store, collection: Collection, wanted: Sequence[date]) -> Range | None:
    """The largest file that a day may become: chains grow and shrink with the years, so both ends are looked at."""
    ends = [[day] for day in {wanted[0], wanted[-1]}] if wanted else []
    known = [entry for shard, entry in store.ledger.days.items() if shard.collection == collection]
    past = [
        Past(one.outcome.shard.day, one.outcome.bytes, one.outcome.vendor_bytes, one.at)
        for one in known
        if isinstance(one.outcome, Saved)
    ]
    found = [from_saved_days(past, day, launch_gap_s=0) for day in ends]
    if None in found and not collection.selection and store.volume.identity.source == "terminal":
        identity = store.volume.identity
        found = [
            from_published(
                dataset(collection.dataset), collection.symbol, day, file_format=identity.format,
                prices=identity.prices, streams=1, launch_gap_s=0,
            )
            for day in ends
        ]  # fmt: skip
    sizes = [one.stored_bytes for one in found if one is not None]
    return max(sizes, key=lambda size: size.high) if sizes else None


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f}"
