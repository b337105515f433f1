"""What every run does first with a store, in this process: cheap enough for thousands of crash states."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from unittest.mock import patch

from thetabulk.assembly.parts import Grids
from thetabulk.assembly.reconciling import reconcile_store
from thetabulk.assembly.stores import opened
from thetabulk.config import StoreConfig
from thetabulk.model import Collection, Shard
from thetabulk.plan.calendar import Calendar


@contextmanager
def at_home(home: Path) -> Iterator[None]:
    """The library in this process keeps what it remembers there."""
    with patch.dict("os.environ", {"XDG_STATE_HOME": str(home / "state")}):
        yield


def reconcile(store: Path, days: Iterable[date], home: Path) -> list[str]:
    """Locks, mends and reconciles, as every run does first; what it has to say about it."""
    shards = [Shard(Collection("option/quote/1m", "", "QQQ"), day) for day in days]
    with at_home(home), opened(store, StoreConfig(reserve_bytes=0), write=True) as one:
        return [*one.notes, *reconcile_store(one, shards, Grids(Calendar.load()))]
