"""Says once a run if its drive keeps less of the commit protocol than is asked of it (reliability.md §4.3, 5 and 7)."""

from thetabulk.events import Emit, Event, Notice, ShardFinished
from thetabulk.store.durability import Durability

DEGRADED = Notice(
    "this drive does not promise a full flush: a power cut may take the last days; they are found and fetched again at "
    "the next start; eject the drive before you pull it",
    "warning",
)
CACHED = Notice(
    "files are read back through a cache here, and not surely from the medium: `thetabulk verify`, once the drive was "
    "unplugged and plugged in again, reads them from there"
)


class Promises:
    """Hears every event of a run; looks at what the drive has kept whenever a day has ended."""

    def __init__(self, durability: Durability, emit: Emit) -> None:
        self._durability = durability
        self._emit = emit
        self._told: set[Notice] = set()

    def hear(self, event: Event) -> None:
        if not isinstance(event, ShardFinished):
            return
        for notice, applies in (
            (DEGRADED, self._durability.sync == "degraded"),
            (CACHED, self._durability.readback == "cached"),
        ):
            if applies and notice not in self._told:
                self._told.add(notice)
                self._emit(notice)
