"""Real processes that may not open many files, or write large ones: fewer workers, own words, nothing lost."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.commands import COMMAND, Done, process, thetabulk
from tests.integration.serving import Served

Simulate = Callable[..., Served]
SPAN = ("--from", "2024-07-01", "--to", "2024-07-31", "--interval", "1h")
SESSIONS = 22


def download(terminal: Served, tmp_path: Path, limit: str) -> Done:
    """With `ulimit` of the shell that starts it."""
    command = ("bash", "-c", f'ulimit {limit} && exec "$@"', "bash", *COMMAND)
    arguments = ("download", "QQQ", *SPAN, "--url", terminal.url, "--store", tmp_path / "s", "--json")
    with process(*arguments, home=tmp_path, command=command) as running:
        return running.ended()


@pytest.mark.parametrize("most", [40, 48])
def test_with_few_files_there_are_fewer_workers_and_every_day_is_saved(
    most: int, simulator: Simulate, tmp_path: Path
) -> None:
    """Nobody may raise this limit. Not a day fails for want of a descriptor."""
    ended = download(simulator(), tmp_path, f"-n {most}")
    assert (ended.code, ended.counts) == (0, {"saved": SESSIONS, "proven": SESSIONS})
    told = " ".join(event["message"] for event in ended.events("notice"))
    found = re.search(rf"only {most} files may be open at once: at most (\d+) workers? of 12", told)
    assert found
    assert ended.events("run_started")[0]["workers"][1] == int(found[1])
    assert ended.events("attempt_failed") == []


def test_a_low_limit_that_may_be_raised_is_raised(simulator: Simulate, tmp_path: Path) -> None:
    """The shells of macOS begin with 256, and other programs with less."""
    ended = download(simulator(), tmp_path, "-Sn 40")
    assert (ended.code, ended.counts) == (0, {"saved": SESSIONS, "proven": SESSIONS})
    assert ended.events("run_started")[0]["workers"][1] == 12


def test_far_too_few_files_are_told_before_anything_is_asked(simulator: Simulate, tmp_path: Path) -> None:
    """And what to type."""
    ended = download(simulator(), tmp_path, "-n 24")
    assert ended.code == 1
    assert "only 24 files may be open at once" in ended.err
    assert "ulimit -n 1024" in ended.err
    assert not (tmp_path / "s").exists()


def test_a_file_that_is_too_large_for_the_drive_is_told_and_nothing_is_lost(
    simulator: Simulate, tmp_path: Path
) -> None:
    """As FAT32 says it of a file over 4 GiB: in words of its own. On another drive the same store goes on."""
    terminal = simulator()
    ended = download(terminal, tmp_path, "-f 6")
    assert ended.code == 1
    assert "a file of this size does not fit on the drive" in ended.told
    assert "FAT32 ends at 4 GiB" in ended.told
    assert "Traceback" not in ended.told
    saved = ended.counts.get("saved", 0)
    again = thetabulk("resume", "--url", terminal.url, "--store", tmp_path / "s", "--json")
    assert (again.code, again.counts) == (0, {"saved": SESSIONS, "proven": SESSIONS})
    assert again.events("run_started")[0]["done"] == saved
    assert thetabulk("verify", "--store", tmp_path / "s").code == 0
    assert list((tmp_path / "s" / ".thetabulk" / "tmp").glob("*.part")) == []
