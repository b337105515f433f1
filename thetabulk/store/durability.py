"""What a drive has kept of the commit protocol (store/part.py): how files were flushed, and how they were read back."""

from dataclasses import dataclass, field

from thetabulk.store.disk import Sync
from thetabulk.store.part import Committed, Readback

_WEAKEST_FIRST: tuple[Readback, ...] = ("off", "cached", "cache-bypassed")


@dataclass(slots=True)
class Durability:
    """The weakest of what was seen so far counts, for a store is as durable as its last file."""

    _syncs: set[Sync] = field(default_factory=set)
    _readbacks: set[Readback] = field(default_factory=set)

    def take(self, committed: Committed) -> None:
        """One more file is in place. May be called from any thread."""
        self._syncs.add(committed.sync)
        self._readbacks.add(committed.readback)

    @property
    def sync(self) -> Sync | None:
        """None: nothing was committed yet."""
        return "degraded" if "degraded" in self._syncs else next(iter(self._syncs), None)

    @property
    def readback(self) -> Readback | None:
        """None: nothing was committed yet."""
        return next((mode for mode in _WEAKEST_FIRST if mode in self._readbacks), None)

    def document(self) -> dict[str, object]:
        """For the last JSON line of a run."""
        return {"sync": self.sync, "readback": self.readback}
