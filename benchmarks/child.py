"""Runs commands in processes of their own, and tells what each has cost.

This side imports nothing heavy, on purpose: a child's peak memory begins with what its parent had when it forked.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
THETABULK = (sys.executable, "-c", "import sys; from thetabulk.cli.app import main; sys.exit(main())")
"""What the installed `thetabulk` script does, word for word."""

_SAMPLED_EVERY_S = 0.02


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU is user + system time of the process and of what it started; memory is the peak of its resident set."""

    cpu_s: float
    wall_s: float
    peak_bytes: int
    exit_code: int
    stdout: str = ""


def run(
    command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, stdout: Path | None = None,
    keep_stdout: bool = False, allowed: Sequence[int] = (0,),
) -> Cost:  # fmt: skip
    """Runs a command to its end. RuntimeError, with what it said, if its exit code is not an allowed one."""
    target = stdout.open("wb") if stdout else subprocess.PIPE if keep_stdout else subprocess.DEVNULL
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command], env=dict(env or os.environ), stdin=subprocess.DEVNULL, stdout=target,
        stderr=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    said: list[bytes] = []
    readers = [threading.Thread(target=lambda: said.append(process.stderr.read() if process.stderr else b""))]
    told: list[bytes] = []
    if keep_stdout and not stdout:
        readers.append(threading.Thread(target=lambda: told.append(process.stdout.read() if process.stdout else b"")))
    for reader in readers:
        reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    for reader in readers:
        reader.join()
    for stream in (process.stdout, process.stderr, target):
        if stream is not None and not isinstance(stream, int):
            stream.close()
    if process.returncode not in allowed:
        words = b"".join(said).decode("utf-8", "replace")[-2_000:]
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{words}")
    unit = 1 if sys.platform == "darwin" else 1_024  # getrusage(2): bytes there, KiB elsewhere
    cpu_s = usage.ru_utime + usage.ru_stime
    return Cost(cpu_s, wall_s, usage.ru_maxrss * unit, process.returncode, b"".join(told).decode("utf-8", "replace"))


def environment(scratch: Path, **settings: str) -> dict[str, str]:
    """A plain environment: this checkout, no settings but these, and no memory of this user's stores."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("THETABULK_")}
    home = scratch / "home"
    home.mkdir(parents=True, exist_ok=True)
    return kept | {
        "HOME": str(home), "XDG_STATE_HOME": str(home), "XDG_CONFIG_HOME": str(home), "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "", **settings,
    }  # fmt: skip


def median(values: Sequence[float]) -> float:
    """The middle one; of two middle ones their mean."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
