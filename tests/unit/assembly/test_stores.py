"""An open store in the middle of a run: is there anything in the way of writing, and is it back?"""

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.small_store import AT, DAYS, HOURLY, answer, save, small_store, writing
from tests.unit.assembly.bench import on_a_faulty_drive
from tests.unit.store.faulty_os import FaultyOs
from thetabulk.assembly import stores
from thetabulk.assembly.stores import Store
from thetabulk.config import StoreConfig
from thetabulk.errors import DiskFull, DriveGone, ThetabulkError
from thetabulk.model import Saved, Shard

SHARD = Shard(HOURLY, DAYS[4])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty store."""
    small_store(tmp_path / "store", days=())
    return tmp_path / "store"


def test_a_store_that_is_well_has_no_obstacle(place: Path) -> None:
    """And is not opened again for nothing."""
    with writing(place) as store:
        volume, ledger = store.volume, store.ledger
        assert store.obstacle() is None
        assert (store.volume is volume, store.ledger is ledger) == (True, True)


def test_too_little_room_is_an_obstacle(place: Path) -> None:
    """With how much there is, and how much is needed."""
    with stores.opened(place, StoreConfig(reserve_bytes=0, free_floor_bytes=10**18), write=True) as store:
        obstacle = store.obstacle()
    assert isinstance(obstacle, DiskFull)
    assert "1000000000000 MB are needed" in obstacle.what


def test_a_drive_that_is_gone_is_an_obstacle_until_it_is_back(place: Path) -> None:
    """What was open on it is opened anew, and days are saved as before."""
    with writing(place) as store:
        place.rename(place.with_name("elsewhere"))
        assert isinstance(store.obstacle(), DriveGone)
        assert isinstance(store.obstacle(), DriveGone)
        place.with_name("elsewhere").rename(place)
        assert store.obstacle() is None
        assert isinstance(save(store, SHARD), Saved)


def test_the_same_drive_under_another_number_is_taken(place: Path) -> None:
    """Plugged in again it is sdc1 instead of sdb1: with the old number every commit would be refused, for ever."""
    with writing(place) as store:
        number = store.volume.device
        store.volume = replace(store.volume, device=number + 1)
        with pytest.raises(DriveGone):
            store.volume.check()
        assert store.obstacle() is None
        assert store.volume.device == number
        assert isinstance(save(store, SHARD), Saved)


def test_another_store_at_the_place_is_not_taken(place: Path) -> None:
    """Never a byte on the wrong volume."""
    with writing(place) as store:
        place.rename(place.with_name("elsewhere"))
        stores.make(place, StoreConfig(), "terminal")
        assert isinstance(store.obstacle(), DriveGone)
        assert store.volume.root == place.resolve()


def break_ledger(store: Store, calls: FaultyOs) -> None:
    calls.arm(1, OSError(errno.EIO, "input/output error"), named="write")
    with pytest.raises(DriveGone):
        store.ledger.record_profile({"grid": 391}, AT)
    calls.arm(0, OSError())
    assert not store.ledger.usable


def test_a_broken_ledger_is_opened_again_and_transfers_in_flight_keep_their_scratch(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies in the folder for scratch is of this very run, not of a dead one."""
    with FaultyOs() as calls, on_a_faulty_drive(place, calls, monkeypatch) as store:
        part = store.day_part(SHARD)
        part.write(answer(SHARD))
        break_ledger(store, calls)
        assert store.obstacle() is None
        assert store.ledger.usable
        part.commit(store.path_of(SHARD))
        store.ledger.record_profile({"grid": 391}, AT)
    with writing(place) as store:
        assert store.ledger.profile == {"grid": 391}


def test_a_store_that_could_not_be_opened_again_is_tried_once_more(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half-way back is not back."""
    with FaultyOs() as calls, on_a_faulty_drive(place, calls, monkeypatch) as store:
        break_ledger(store, calls)
        calls.arm(1, OSError(errno.EIO, "input/output error"), named="read", sticky=True)
        assert isinstance(store.obstacle(), ThetabulkError)
        calls.arm(0, OSError())
        assert store.obstacle() is None
        store.ledger.record_profile({"grid": 406}, AT)


def test_the_ledgers_reserve_is_taken_again_once_there_is_room(place: Path) -> None:
    """It was given up for a line while the drive was full."""
    with stores.opened(place, StoreConfig(reserve_bytes=4_096, free_floor_bytes=0), write=True) as store:
        reserve = place / ".thetabulk" / "reserve"
        assert reserve.stat().st_size == 4_096
        reserve.unlink()
        assert store.obstacle() is None
        assert reserve.stat().st_size == 4_096
