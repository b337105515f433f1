"""Finds, makes and opens stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from thetabulk import state
from thetabulk.assembly import clock
from thetabulk.config import Resolved, StoreConfig
from thetabulk.errors import DiskFull, ThetabulkError, UsageError
from thetabulk.ledger.journal import Ledger
from thetabulk.ledger.lock import Lock
from thetabulk.model import Boundary, Shard
from thetabulk.store import layout
from thetabulk.store.disk import Disk
from thetabulk.store.drives import mounted_drives
from thetabulk.store.part import Part, remove_stale_parts
from thetabulk.store.volume import IDENTITY, Identity, Volume, create_store, open_store

if TYPE_CHECKING:
    from thetabulk.store.contract_lists import ContractLists

DEMO_STORE = Path("thetabulk-demo")


@dataclass(slots=True)
class Store:
    """An open store: its drive, its memory, and the means to write days."""

    volume: Volume
    ledger: Ledger
    settings: StoreConfig
    notes: list[str] = field(default_factory=list)
    _tokens: Iterator[int] = field(default_factory=count)

    @property
    def format(self) -> str:
        return self.volume.identity.format

    @property
    def boundaries(self) -> tuple[Boundary, ...]:
        return tuple(self.ledger.boundaries.values())

    @property
    def lists(self) -> "ContractLists":
        from thetabulk.store.contract_lists import ContractLists  # numpy; `status` does without

        return ContractLists(
            self.volume.root, layout.contracts_path, lambda: self._part(layout.TMP / f"list-{self._token()}.part")
        )

    def day_part(self, shard: Shard) -> Part:
        return self._part(layout.part_name(shard, self._token()))

    def path_of(self, shard: Shard) -> PurePosixPath:
        return layout.data_path(shard, self.format)

    def file_of(self, shard: Shard) -> Path:
        return self.volume.path(self.path_of(shard))

    def obstacle(self) -> ThetabulkError | None:
        """What keeps us from writing now: no drive, another one, or too little room."""
        try:
            self.volume.check()
            free = self.volume.free_bytes()
        except ThetabulkError as error:
            return error
        needed = self.settings.free_floor_bytes
        if free < needed:
            return DiskFull(
                f"{self.volume.root}: {free // 1_000_000} MB are free, {needed // 1_000_000} MB are needed to go on",
                hint="free some space; the run goes on by itself",
            )
        return None

    def _part(self, name: PurePosixPath) -> Part:
        return Part(self.volume, name, readback=self.settings.readback)

    def _token(self) -> str:
        return f"{next(self._tokens)}"


def locate(resolved: Resolved, *, simulated: bool = False) -> tuple[Path, str]:
    """Which store: flag > environment > config > the one used last; and "" or a sentence about the last one.

    UsageError with the mounted drives and a line to paste if there is none to choose.
    """
    configured = resolved.config.store.path
    if configured:
        return Path(configured).expanduser(), ""
    if simulated:
        return DEMO_STORE, ""
    last = state.last_store(state.state_folder())
    if last is not None:
        return last, f"the store is {last}, the one used last (--store DIR for another)"
    drives = [drive for drive in mounted_drives() if not drive.read_only]
    lines = [f"  {drive.path}  {drive.free_bytes // 1_000_000_000} GB free" for drive in drives]
    example = (drives[0].path if drives else Path.home()) / "thetabulk"
    found = "\n".join(["mounted drives:", *lines, ""]) if lines else ""
    raise UsageError("which store? None is known yet", hint=f"{found}for example: --store '{example}'")


def exists(path: Path) -> bool:
    return (path / IDENTITY).is_file()


def is_known(path: Path) -> bool:
    """Whether this machine has seen a store there."""
    return path.absolute() in state.known_stores(state.state_folder())


def make(path: Path, settings: StoreConfig, source: str) -> None:
    """Makes the store, for ever of one format and one source."""
    identity = Identity(clock.new_id(), settings.format, settings.prices, source, clock.now())
    create_store(path, identity, disk=_disk())


def check_fits(volume: Volume, resolved: Resolved, source: str | None = None) -> None:
    """UsageError if another format, other prices or another source are asked for than the store's."""
    identity = volume.identity
    for name, held in (("store.format", identity.format), ("store.prices", identity.prices)):
        wanted = resolved.value(name)
        if resolved.origin.get(name, "default") != "default" and wanted != held:
            raise UsageError(
                f"{volume.root} is a store of {held}, not of {wanted}",
                hint="a store has one format for ever; choose another --store for the other",
            )
    if source is not None and source != identity.source:
        kinds = {"terminal": "a real Terminal", "simulator": "the simulator"}
        raise UsageError(
            f"{volume.root} holds data of {kinds[identity.source]}, and {kinds[source]} answers",
            hint="real and simulated data never mix; choose another --store",
        )


@contextmanager
def opened(path: Path, settings: StoreConfig, *, write: bool) -> Iterator[Store]:
    """The store at a path. With `write`: locked for this run, mended, free of dead runs' scratch."""
    disk = _disk()
    volume = open_store(path, disk=disk, known=is_known(path))
    inside = volume.path(PurePosixPath(layout.INTERNAL))
    state.remember_store(state.state_folder(), volume.root, volume.identity.store)
    if not write:
        with Ledger.open(inside, write=False, disk=disk) as ledger:
            yield Store(volume, ledger, settings, list(ledger.notes))
        return
    lock = Lock(inside, state=state.state_folder(), store=volume.identity.store, since=clock.now(), disk=disk)
    with lock:
        removed = remove_stale_parts(volume)
        with Ledger.open(inside, write=True, disk=disk, reserve_bytes=_reserve(volume, settings)) as ledger:
            notes = [*lock.notes, *ledger.notes]
            if removed:
                notes.append(f"recovered: {removed} unfinished files of an earlier run removed")
            yield Store(volume, ledger, settings, notes)


def _reserve(volume: Volume, settings: StoreConfig) -> int:
    """A small or nearly full drive keeps a small reserve: a hundredth of what is free."""
    return min(settings.reserve_bytes, volume.free_bytes() // 100)


def _disk() -> Disk:
    return Disk(sleep=clock.sleep)


