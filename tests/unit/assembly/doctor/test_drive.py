"""What a drive test has seen, in words."""

from dataclasses import replace

import pytest

from thetabulk.assembly.doctor.drive import capabilities, findings
from thetabulk.assembly.doctor.gathering import Untold
from thetabulk.errors import DiskFull
from thetabulk.report.findings import Level
from thetabulk.store.drive_test import Abilities

GOOD = Abilities(
    sync="full", folder_sync="full", replaces=True, intact=True, past_cache=True, locks=True, modes=True, case=True,
    odd_names=True, twins=False, grain_s=1e-9, sparse=True, large_files=True, written_per_s=2e8, read_per_s=4e8,
)  # fmt: skip
EXFAT = replace(
    GOOD, modes=False, case=False, odd_names=False, grain_s=1.0, sparse=False, large_files=None, twins=True
)  # fmt: skip


@pytest.mark.parametrize("tried", [GOOD, EXFAT], ids=["ext4", "exfat"])
def test_a_good_drive_raises_no_alarm(tried: Abilities) -> None:
    """exFAT can do less, and all that a store needs."""
    assert {each.level for each in findings(tried)} == {Level.OK}


@pytest.mark.parametrize(
    ("tried", "check", "level", "code"),
    [
        (replace(GOOD, intact=False), "drive test", Level.PROBLEM, 4),
        (replace(GOOD, replaces=False), "drive test", Level.PROBLEM, 4),
        (replace(GOOD, sync="degraded"), "flush", Level.WARN, 0),
        (replace(GOOD, folder_sync="degraded"), "flush", Level.WARN, 0),
        (replace(GOOD, locks=False), "locks", Level.WARN, 0),
        (replace(GOOD, large_files=False), "large files", Level.WARN, 0),
        (DiskFull("full"), "drive test", Level.PROBLEM, 5),
        (Untold("no answer within 30 s"), "drive test", Level.WARN, 0),
        (None, "drive test", Level.UNKNOWN, 0),
    ],
)
def test_what_a_drive_lacks_is_told(tried: object, check: str, level: Level, code: int) -> None:
    """As bad as it is: what comes back wrong is a drive to throw away."""
    found = {each.check: each for each in findings(tried)}  # type: ignore[arg-type]
    assert (found[check].level, found[check].code) == (level, code)


def test_where_the_cache_was_not_passed_nothing_more_is_promised() -> None:
    """macOS does not say whether it did (design §4)."""
    [first, *_] = findings(replace(GOOD, past_cache=False))
    assert first.text == "200 MB/s written, flushed and re-read, past the cache or not"


def test_the_record_is_there_only_after_a_test() -> None:
    """For `--json`."""
    record = capabilities(GOOD)
    assert record is not None
    assert record["written_per_s"] == 2e8
    assert capabilities(Untold("late")) is None
