"""When a machine sleeps, from the words of three systems."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from thetabulk.terminal.idleness import NEVER, asked, sleeps_after_s

PMSET = """
Currently in use:
 standby              1
 sleep                {} (sleep prevented by coreaudiod)
 displaysleep         2
"""
POWERCFG = """
    Power Setting GUID: 29f6c1db-86da-48c5-9fdb-f2b67b1f44da  (Sleep after)
      GUID Alias: STANDBYIDLE
      Minimum Possible Setting: 0x00000000
      Possible Settings units: Seconds
    Current AC Power Setting Index: 0x{:08x}
    Current DC Power Setting Index: 0x0000012c
"""
NOWHERE = Path("/nowhere")
POSIX = pytest.mark.skipif(os.name != "posix", reason="a shell, and links as POSIX systems have them")


def system(answers: Mapping[str, str]) -> object:
    """A system that says this to the last word of a command."""

    def ask(command: Sequence[str]) -> str:
        return answers.get(command[-1], "")

    return ask


@pytest.mark.parametrize(
    ("platform", "answers", "seconds"),
    [
        ("darwin", {"-g": PMSET.format(15)}, 900.0),
        ("darwin", {"-g": PMSET.format(0)}, NEVER),
        ("darwin", {}, None),
        ("win32", {"STANDBYIDLE": POWERCFG.format(1_800)}, 1_800.0),
        ("win32", {"STANDBYIDLE": POWERCFG.format(0)}, NEVER),
        ("win32", {"STANDBYIDLE": "Zugriff verweigert"}, None),
        ("linux", {"sleep-inactive-ac-type": "'suspend'\n", "sleep-inactive-ac-timeout": "uint32 1200\n"}, 1_200.0),
        ("linux", {"sleep-inactive-ac-type": "'nothing'\n", "sleep-inactive-ac-timeout": "1200"}, NEVER),
        ("linux", {"sleep-inactive-ac-type": "'suspend'\n"}, None),
        ("linux", {}, None),
    ],
)  # fmt: skip
def test_the_time_until_sleep_is_read(platform: str, answers: Mapping[str, str], seconds: float | None) -> None:
    """In seconds, on mains power; never, or not told."""
    assert sleeps_after_s(platform, system(answers), masked=NOWHERE) == seconds  # type: ignore[arg-type]


@POSIX
def test_a_forbidden_sleep_is_never(tmp_path: Path) -> None:
    """`systemctl mask sleep.target` is the way of servers."""
    (tmp_path / "sleep.target").symlink_to("/dev/null")
    assert sleeps_after_s("linux", system({}), masked=tmp_path / "sleep.target") == NEVER  # type: ignore[arg-type]


@POSIX
def test_a_command_that_is_not_there_or_fails_or_hangs_says_nothing() -> None:
    """And never an error."""
    assert asked(["/nowhere/pmset"]) == ""
    assert asked(["/bin/sh", "-c", "echo half; exit 3"]) == ""
    assert asked(["/bin/sh", "-c", "sleep 5"], timeout_s=0.05) == ""
    assert asked(["/bin/sh", "-c", "echo said"]) == "said\n"
