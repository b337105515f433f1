"""Recording an answer in a temporary folder, and what became of it."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp

from tests.unit.store.answers import DAY, HOURLY, SYMBOL, pieces
from thetabulk.model import Collection, Contract, Dataset, Shard
from thetabulk.plan.datasets import grid_of
from thetabulk.store.recording import Manner, Recording
from thetabulk.store.weighing import Weighed

TARGET = PurePosixPath("day")


@dataclass(frozen=True)
class Placed:
    """A file in place."""

    sha256: str
    bytes: int
    mtime_ns: int


class Folder:
    """Where scratch files begin and end; `part` begins one."""

    def __init__(self, root: Path) -> None:
        self.root = Path(mkdtemp(dir=root))
        self.begun = 0

    @property
    def path(self) -> Path:
        return self.root / TARGET

    @property
    def scratches(self) -> list[Path]:
        return list(self.root.glob("*.part"))

    def part(self) -> "FolderPart":
        self.begun += 1
        return FolderPart(self.root / f"{self.begun}.part")


class FolderPart:
    """A scratch file with nothing but what the protocol asks for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("xb")

    def write(self, data: bytes, /) -> int:
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()

    @contextmanager
    def reading(self) -> Iterator[Path]:
        yield self.path

    def commit(self, target: PurePosixPath) -> Placed:
        self.close()
        final = self.path.parent / target
        self.path.replace(final)
        content = final.read_bytes()
        return Placed(hashlib.sha256(content).hexdigest(), len(content), final.stat().st_mtime_ns)

    def abort(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Recorded:
    weighed: Weighed
    path: Path
    placed: Placed


def recording(
    folder: Folder, dataset: Dataset = HOURLY, manner: Manner | None = None, *,
    collection: Collection | None = None, grids: Mapping[int, str] | None = None,
) -> Recording:  # fmt: skip
    shard = Shard(collection or Collection(dataset.name, "", SYMBOL), DAY)
    known = grid_of(dataset, half_day=False) if grids is None else grids
    return Recording(shard, dataset, "the request", known, manner or Manner(), folder.part)


def record(
    root: Path, body: bytes, dataset: Dataset = HOURLY, manner: Manner | None = None, *,
    listed: frozenset[Contract] | None = None, piece: int = 65_536, grids: Mapping[int, str] | None = None,
    earlier: str = "",
) -> Recorded:  # fmt: skip
    """Fed, weighed, committed, with the printed file compared. Raises what Recording raises; nothing stays then."""
    folder = Folder(root)
    one = recording(folder, dataset, manner, grids=grids)
    try:
        for data in pieces(body, piece):
            one.feed(data)
        weighed = one.weigh(listed, earlier)
        placed = one.commit(TARGET, print_again=True)
    except BaseException:
        one.abort()
        assert folder.scratches == []
        raise
    assert isinstance(placed, Placed)
    return Recorded(weighed, folder.path, placed)
