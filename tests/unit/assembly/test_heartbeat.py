"""The heartbeat file, and drives that do not answer."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from thetabulk.assembly.heartbeat import Heartbeat
from thetabulk.config import IncidentConfig
from thetabulk.events import Event

REPOSITORY = Path(__file__).parents[3]


async def test_it_says_how_things_stand_and_how_they_ended(tmp_path: Path) -> None:
    """Not more often than is wished; the last word always."""
    file, states = tmp_path / "beat.json", ["running", "ended"]
    beats = Heartbeat(
        IncidentConfig(heartbeat=str(file), heartbeat_every_s=60), lambda: {"state": states.pop(0)}, _nobody,
        time.monotonic,
    )  # fmt: skip
    beats.beat()
    beats.beat()
    await beats.last()
    assert json.loads(file.read_text()) == {"state": "ended"}
    assert states == []


async def test_a_file_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    """Its folder is not there."""
    told: list[Event] = []
    beats = Heartbeat(IncidentConfig(heartbeat=str(tmp_path / "gone" / "beat")), dict, told.append, time.monotonic)
    await beats.last()
    await beats.last()
    assert len(told) == 1
    assert "cannot be written: No such file or directory" in str(told[0])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the file that never opens is a FIFO")
def test_a_drive_that_hangs_does_not_keep_a_run_from_ending(tmp_path: Path) -> None:
    """The writing never returns; the process ends all the same, with its own exit code."""
    os.mkfifo(tmp_path / "fifo")  # nobody ever reads it: to open it for writing waits for ever
    program = (
        "import asyncio, sys, time\n"
        "from pathlib import Path\n"
        "from thetabulk.assembly import heartbeat\n"
        "from thetabulk.config import IncidentConfig\n"
        "def hang(path, document):\n"
        f"    with open({str(tmp_path / 'fifo')!r}, 'w') as stream: stream.write('never')\n"
        "heartbeat.write = hang\n"
        "async def main():\n"
        f"    settings = IncidentConfig(heartbeat={str(tmp_path / 'beat')!r})\n"
        "    beats = heartbeat.Heartbeat(settings, dict, print, time.monotonic)\n"
        "    beats.beat()\n"
        "    await asyncio.sleep(0.2)\n"
        "    return 11\n"
        "sys.exit(asyncio.run(main()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=30, check=False, cwd=REPOSITORY)
    assert done.returncode == 11


def _nobody(event: Event) -> None:
    raise AssertionError(event)
