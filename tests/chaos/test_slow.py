"""Slow is no fault: a slow drive is blamed and costs no memory, and a narrow line changes the time that is left.
Fault rows B24, C17."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import xxhash

from tests.chaos import blocklog, ledger_lines, mounts, vendor
from tests.chaos.bench import Bench, Ran
from tests.chaos.cuts import EXT4
from tests.chaos.figures import Figures
from tests.chaos.machine import needs
from tests.chaos.narrow_line import Line
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.vendor import Pace, Vendor
from thetabulk.report.estimate import Finish, time_left

_STRIKES = 200
_IMAGE_BYTES = 320 * 2**20
_DRIVE_BYTES_PER_S = 6e6
_ROOM_BYTES = 80 * 2**20
"""What a run may take beyond what it has when it begins: less than the days that wait for the drive."""

_DAYS = 60
_WIDE, _NARROW = 4e6, 4e5
_WIDE_DAYS = 20
_PATIENCE_S = 240


@needs("root", "mounts", "fuse", "loop", "ext4")
def test_a_slow_drive_is_blamed_and_costs_no_memory(
    hatchery: Nursery, workshop: Path, tmp_path: Path, figures: Figures
) -> None:
    """A drive that takes a few megabytes a second, and a vendor that waits for nobody: the run says what it waits for,
    holds no days in memory meanwhile, and every byte arrives."""
    days, pace = vendor.days(8), Pace(strikes=_STRIKES)
    image, backing, point = (workshop / name for name in ("image", "backing", "point"))
    EXT4.make(mounts.image(image, _IMAGE_BYTES))
    backing.mkdir()
    point.mkdir()
    daemon = blocklog.start(backing, image, workshop / "log")
    try:
        mounts.wait_for((backing / "disk").exists, "the slow disk does not answer")
        with EXT4.mounted(backing / "disk", point), vendor.running(tmp_path, pace) as running:
            (workshop / "log.slow").write_text(str(_DRIVE_BYTES_PER_S))
            bench = Bench(hatchery, running.url, tmp_path, days)
            ran = bench.download(point / "store", more=("--format=csv",))
            grown = _watched(ran)
            (workshop / "log.slow").unlink()
            found = ran.wait(_PATIENCE_S).complaints(allowed=[0])
            saved = ledger_lines.read(point / "store").saved()
        mounts.call("umount", backing)
        daemon.wait(10)
    finally:
        daemon.kill()
    blamed = [event for event in ran.events() if event.get("event") == "drive_busy" and not event["over"]]
    served = {day.isoformat(): vendor.body("QQQ", day, _STRIKES) for day in days}
    found += [f"{grown >> 20} MB taken"] if grown > _ROOM_BYTES else []
    found += [] if blamed else ["nobody was told that it is the drive"]
    found += [f"not saved: {day}" for day in served.keys() - {key[3] for key in saved}]
    for key, record in saved.items():
        if record["vendor_xxh3"] != xxhash.xxh3_128_hexdigest(served[key[3]]):
            found.append(f"{key[3]} is not what was served")
    print(f"{grown >> 20} MB taken, busy {[event['share'] for event in blamed]}")  # noqa: T201
    figures.add("runs on a slow drive", 1, len(found), 0, "runs")
    assert not found
    assert sum(map(len, served.values())) > _ROOM_BYTES, "too little came for the memory to tell anything"


def _watched(ran: Ran) -> int:
    """How much the process grows from its first request to its end."""
    process = psutil.Process(ran.child.pid)
    before = most = 0

    def looks_on() -> bool:
        nonlocal before, most
        try:
            now = int(process.memory_info().rss)
        except psutil.NoSuchProcess:
            return ran.child.over
        started = any(event.get("event") == "shard_started" for event in ran.events())
        before, most = (now, now) if not started else (before, max(most, now))
        return ran.child.over

    mounts.wait_for(looks_on, "the run does not come to its end", _PATIENCE_S)
    return most - before


@needs()
def test_a_line_that_turns_narrow_changes_what_is_left(
    hatchery: Nursery, prompt_vendor: Vendor, undisturbed: Callable[[int], Oracle], tmp_path: Path, figures: Figures
) -> None:
    """From 4 MB/s to a tenth of it in mid-run: no day fails for it, and soon the time that is said to be left is the
    time that it takes."""
    store = tmp_path / "store"
    with Line(prompt_vendor.url, _WIDE).open() as line:
        ran = Bench(hatchery, line.url, tmp_path, vendor.days(_DAYS)).download(store)
        mounts.wait_for(lambda: len(ran.told) >= _WIDE_DAYS or ran.child.over, "it never came so far", 60)
        line.bytes_per_s = _NARROW
        found = ran.wait(_PATIENCE_S).complaints(allowed=[0])
    found += undisturbed(_DAYS).judge_whole(store, ran.told)
    found += [f"failed: {event}" for event in ran.events() if event.get("event") == "attempt_failed"]
    found += [f"the drive is blamed: {event}" for event in ran.events() if event.get("event") == "drive_busy"]
    finishes = _finishes(ran.events())
    narrowed = finishes[_WIDE_DAYS - 1].at
    before = _said(finishes[:_WIDE_DAYS], narrowed)
    three_quarters = _DAYS * 3 // 4
    after = _said(finishes[:three_quarters], finishes[three_quarters - 1].at)
    really = finishes[-1].at - finishes[three_quarters - 1].at
    if before[1] > finishes[-1].at - narrowed:
        found.append(f"at first {before} s were said to be left: the line was not wide")
    if not after[0] <= 1.5 * really or not really <= 1.5 * after[1]:
        found.append(f"{after} s were said to be left, {really:.1f} s it took")
    figures.add("runs on a line that turns narrow", 1, len(found), 0, "runs")
    assert not found


def _finishes(events: list[dict[str, Any]]) -> list[Finish]:
    ends = [event for event in events if event.get("event") == "shard_finished" and event["outcome"] == "saved"]
    return [Finish(datetime.fromisoformat(event["at"]).timestamp(), event["vendor_bytes"]) for event in ends]


def _said(finishes: list[Finish], now: float) -> tuple[float, float]:
    """What the screen says then: it goes by the same days and the same clock."""
    said = time_left(finishes, _DAYS - len(finishes), now)
    assert said is not None
    return said
