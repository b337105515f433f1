"""Stored days handed out as the vendor's CSV: proven while they go, into a stream or into whole files."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from thetabulk.assembly.stores import Store
from thetabulk.errors import StoreDamaged, UsageError
from thetabulk.model import Saved
from thetabulk.plan.datasets import dataset
from thetabulk.store.body import Body
from thetabulk.store.weighing import stored_body

_REPAIR = "thetabulk verify --repair fetches it again"


def to_stream(store: Store, days: Sequence[Saved], write: Callable[[bytes], object]) -> None:
    """One day as it is. Several: one after the other, a header only where it differs from the one before. StoreDamaged,
    after the bytes are out, if they are not those that were received."""
    header = b""
    for number, saved in enumerate(days):
        pieces = _proven(store, saved)
        if number:
            header, pieces = _without_header(pieces, header)
        elif len(days) > 1:
            header, pieces = _with_header(pieces)
        last = b""
        for piece in pieces:
            write(piece)
            last = piece or last
        if number < len(days) - 1 and not last.endswith(b"\n"):
            write(b"\n")


def to_file(store: Store, saved: Saved, target: Path, *, force: bool) -> int:
    """Whole file or no file. Returns its size. UsageError if it is there already (unless `force`), or if its folder is
    not; StoreDamaged, and no file, if the bytes are not those that were received."""
    refuse_occupied([target], force=force)
    disk, scratch = store.volume.disk, target.with_name(f".{target.name}.{os.getpid()}.part")
    size = 0
    with disk.translated(target):
        descriptor = disk.create(scratch)
    try:
        try:
            for piece in _proven(store, saved):
                with disk.translated(target):
                    disk.write(descriptor, piece)
                size += len(piece)
            with disk.translated(target):
                disk.sync(descriptor)
        finally:
            with disk.translated(target):
                disk.close(descriptor)
        refuse_occupied([target], force=force)
        with disk.translated(target):
            disk.replace(scratch, target)
            disk.sync_folder(target.parent)
    finally:
        with suppress(OSError):
            disk.remove(scratch)
    return size


def refuse_occupied(targets: Iterable[Path], *, force: bool) -> None:
    """UsageError if a file is there that we would write over, or a folder is not there that should hold it."""
    for target in targets:
        if not target.parent.is_dir():
            raise UsageError(f"the folder {target.parent} does not exist", hint="make it first")
        if target.is_dir():
            raise UsageError(f"{target} is a folder", hint="-o names a file for one day, a folder for a range")
        if target.exists() and not force:
            raise UsageError(f"{target} exists already", hint="--force overwrites it")


def _proven(store: Store, saved: Saved) -> Iterator[bytes]:
    """The pieces of a stored day's body; after the last one StoreDamaged, if they were not what was received."""
    path = store.file_of(saved.shard)
    if store.volume.facts(store.path_of(saved.shard)) is None:
        store.volume.check()
        raise StoreDamaged(f"{path} is gone", hint=_REPAIR)
    body = Body(stored_body(path, dataset(saved.shard.collection.dataset), store.format))
    try:
        with store.volume.translated(path):
            yield from body
    except ValueError as error:
        raise StoreDamaged(f"{path} is damaged: {error}", hint=_REPAIR) from error
    if body.vendor_xxh3 != saved.vendor_xxh3:
        raise StoreDamaged(f"{path} is damaged: it prints another CSV than was received", hint=_REPAIR)


def _with_header(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first line, and all the pieces."""
    start = b""
    for piece in pieces:
        start += piece
        if b"\n" in start:
            break
    return start[: start.find(b"\n") + 1], _chained(start, pieces)


def _without_header(pieces: Iterator[bytes], before: bytes) -> tuple[bytes, Iterator[bytes]]:
    """The first line, and the pieces without it if it is the one before."""
    header, pieces = _with_header(pieces)
    if header != before:
        return header, pieces
    start = next(pieces)
    return header, _chained(start[len(header) :], pieces)


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
