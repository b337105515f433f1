"""A drive that keeps less of the commit protocol than is asked of it: told once, and in the last word. Row B4."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.commands import Done, thetabulk
from tests.integration.serving import Served
from tests.unit.store.faulty_os import FaultyOs, faulty_disk
from thetabulk.assembly import stores
from thetabulk.assembly.promises import CACHED, DEGRADED

Simulate = Callable[..., Served]
SPAN = ("--from", "2024-07-29", "--to", "2024-07-31", "--interval", "1h")


def download(url: str, home: Path, calls: FaultyOs, monkeypatch: pytest.MonkeyPatch) -> Done:
    monkeypatch.setattr(stores, "new_disk", lambda: faulty_disk(calls))
    return thetabulk("download", "QQQ", *SPAN, "--url", url, "--store", home / "s", "--json")


def times_told(ended: Done, message: str) -> int:
    return [event["message"] for event in ended.events("notice")].count(message)


def test_a_drive_without_a_full_flush_is_told_once(
    simulator: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENOTTY, as macOS says it of exFAT: three days are saved, and there is one warning."""
    with FaultyOs(at=1, named="fsync", error=OSError(errno.ENOTTY, "no"), sticky=True) as calls:
        ended = download(simulator().url, tmp_path, calls, monkeypatch)
    assert (ended.code, ended.counts) == (0, {"saved": 3, "proven": 3})
    assert times_told(ended, DEGRADED.message) == 1
    assert ended.document["run"]["sync"] == "degraded"


def test_a_read_back_through_a_cache_is_told_once(
    simulator: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system does not let us past it."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EINVAL, "no")

    with FaultyOs() as calls:
        calls.instead["posix_fadvise"] = refuse
        ended = download(simulator().url, tmp_path, calls, monkeypatch)
    assert (ended.code, times_told(ended, CACHED.message)) == (0, 1)
    assert (ended.document["run"]["sync"], ended.document["run"]["readback"]) == ("full", "cached")


def test_a_good_drive_is_not_talked_about(simulator: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a flush that was not degraded."""
    with FaultyOs() as calls:
        ended = download(simulator().url, tmp_path, calls, monkeypatch)
    assert (ended.code, times_told(ended, DEGRADED.message)) == (0, 0)
    run = ended.document["run"]
    assert run["sync"] == "full"
    assert times_told(ended, CACHED.message) == (run["readback"] == "cached")
