"""Finds, makes and opens stores."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from thetabulk import state
from thetabulk.assembly import clock
from thetabulk.config import Resolved, StoreConfig
from thetabulk.errors import DiskFull, DriveGone, ThetabulkError, UsageError
from thetabulk.ledger.journal import Ledger
from thetabulk.ledger.lock import Lock
from thetabulk.model import Boundary, Shard
from thetabulk.store import layout
from thetabulk.store.disk import Disk
from thetabulk.store.drives import mounted_drives
from thetabulk.store.durability import Durability
from thetabulk.store.faults import no_more_files, takes_files
from thetabulk.store.part import Part, remove_stale_parts
from thetabulk.store.volume import IDENTITY, Identity, Volume, create_store, find_store, open_store, read_identity
from thetabulk.wording import counted

if TYPE_CHECKING:
    from thetabulk.store.contract_lists import ContractLists

MIRROR_MARK = PurePosixPath(layout.INTERNAL, "mirror.json")
DEMO_STORE = Path("thetabulk-demo")
_SPARE_FILES = 100  # folders, scratch and lists of the days in flight: with fewer the run would stop at once again


@dataclass(slots=True)
class Store:
    """An open store: its drive, its memory, and the means to write days."""

    volume: Volume
    ledger: Ledger
    settings: StoreConfig
    notes: list[str] = field(default_factory=list)
    reopen: Callable[["Store", Path], None] | None = None
    durability: Durability = field(default_factory=Durability)
    _lost: bool = False
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

        return ContractLists(self.volume.root, layout.contracts_path, self.list_part)

    def list_part(self) -> Part:
        return self._part(layout.TMP / f"list-{self._token()}.part")

    def day_part(self, shard: Shard) -> Part:
        return self._part(layout.part_name(shard, self._token()))

    def path_of(self, shard: Shard) -> PurePosixPath:
        return layout.data_path(shard, self.format)

    def file_of(self, shard: Shard) -> Path:
        return self.volume.path(self.path_of(shard))

    def obstacle(self) -> ThetabulkError | None:
        """What keeps us from writing now: no drive, another one, or too little room. A store that is back, perhaps
        under another path (macOS mounts `NAME 1` while a leftover `NAME` is in the way), is opened again."""
        try:
            self._come_back()
            free = self.volume.free_bytes()
        except ThetabulkError as error:
            return error
        needed = self.settings.free_floor_bytes
        if free < needed:
            return DiskFull(
                f"{self.volume.root}: {free // 1_000_000} MB are free, {needed // 1_000_000} MB are needed to go on",
                hint="free some space; the run goes on by itself",
            )
        if not takes_files(self.volume.root, spare=_SPARE_FILES):
            return no_more_files(self.volume.root, "no inodes")
        self.ledger.refill_reserve()  # it may have been used up while the drive was full
        return None

    def _come_back(self) -> None:
        place: Path | None = self.volume.root
        try:
            self.volume.check()
        except DriveGone:
            self._lost = True
            place = self._place_now()
            if place is None:
                raise
        if self.reopen is not None and (self._lost or not self.ledger.usable):
            self.reopen(self, place or self.volume.root)
            self._lost = False

    def _place_now(self) -> Path | None:
        """Where the store is, if it is back: at its place, perhaps under another device number, or elsewhere."""
        root, identity, disk = self.volume.root, self.volume.identity, self.volume.disk
        with suppress(OSError, ThetabulkError):
            found = read_identity(root, disk=disk)
            if found is not None and found.store == identity.store:
                return root
        place = find_store(root, identity.store, disk=disk, candidates=[drive.path for drive in mounted_drives()])
        return None if place is None or is_mirror(place) else place

    def _part(self, name: PurePosixPath) -> Part:
        return Part(self.volume, name, readback=self.settings.readback, tell=self.durability.take)

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


def is_mirror(root: Path) -> bool:
    """Whether the store is a copy, made by `thetabulk mirror`: never taken for the store that moved."""
    return root.joinpath(*MIRROR_MARK.parts).is_file()


def refuse_mirror(root: Path) -> None:
    """UsageError if the store is a copy: what is written there would be missing in its original."""
    if is_mirror(root):
        raise UsageError(
            f"{root} is the mirror of another store",
            hint=f"if the original is lost, remove {root.joinpath(*MIRROR_MARK.parts)}: then it is a store like any "
            "other",
        )


def exists(path: Path) -> bool:
    return (path / IDENTITY).is_file()


def is_known(path: Path) -> bool:
    """Whether this machine has seen a store there, and it is not simply gone: the folder above lies on the very file
    system that the store was on, so the drive is there, and somebody has removed the store."""
    folder = state.state_folder()
    if path.absolute() not in state.known_stores(folder):
        return False
    try:
        return exists(path) or path.absolute().parent.stat().st_dev != state.device_of(folder, path)
    except OSError:
        return True


def make(path: Path, settings: StoreConfig, source: str) -> None:
    """Makes the store, for ever of one format and one source."""
    identity = Identity(clock.new_id(), settings.format, settings.prices, source, clock.now())
    create_store(path, identity, disk=new_disk())


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
def opened(
    path: Path, settings: StoreConfig, *, write: bool, lock_name: str = "", remember: bool = True
) -> Iterator[Store]:
    """The store at a path. With `write`: locked for this run, mended, free of dead runs' scratch. `remember` it as the
    one used last."""
    disk = new_disk()
    volume = open_store(path, disk=disk, known=is_known(path))
    if remember:
        state.remember_store(state.state_folder(), volume.root, volume.identity.store, volume.device)
    if not write:
        with Ledger.open(_inside(volume), write=False, disk=disk) as ledger:
            yield Store(volume, ledger, settings, list(ledger.notes))
        return
    with ExitStack() as stack:
        store = _writable(stack, volume, settings, lock_name)

        def reopen(store: Store, place: Path) -> None:
            with suppress(ThetabulkError):  # what it held was on a drive that went away
                stack.close()
            back = open_store(place, disk=disk, expect_id=volume.identity.store)
            again = _writable(stack, back, settings, lock_name, tidy=False)  # scratch there may be of this very run
            store.volume, store.ledger = again.volume, again.ledger

        store.reopen = reopen
        yield store


def _writable(
    stack: ExitStack, volume: Volume, settings: StoreConfig, lock_name: str, *, tidy: bool = True
) -> Store:  # fmt: skip
    name = lock_name or volume.identity.store
    disk, inside = volume.disk, _inside(volume)
    lock = stack.enter_context(Lock(inside, state=state.state_folder(), store=name, since=clock.now(), disk=disk))
    removed = remove_stale_parts(volume) if tidy else 0
    ledger = stack.enter_context(
        Ledger.open(inside, write=True, disk=disk, reserve_bytes=_reserve(volume, settings))
    )  # fmt: skip
    notes = [*lock.notes, *ledger.notes]
    if removed:
        notes.append(f"recovered: {counted(removed, 'unfinished file')} of an earlier run removed")
    return Store(volume, ledger, settings, notes)


def _inside(volume: Volume) -> Path:
    return volume.path(PurePosixPath(layout.INTERNAL))


def _reserve(volume: Volume, settings: StoreConfig) -> int:
    """A small or nearly full drive keeps a small reserve: a hundredth of what is free."""
    return min(settings.reserve_bytes, volume.free_bytes() // 100)


def new_disk() -> Disk:
    return Disk(sleep=clock.sleep, monotonic=clock.monotonic)
