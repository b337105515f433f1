"""The command line in a forked process: imported once, started in milliseconds, killed without mercy."""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet

import thetabulk.assembly.downloads
import thetabulk.cli.download
import thetabulk.cli.resume
import thetabulk.store.printing  # noqa: F401 - and the above: what a command imports late is here already
from tests.chaos import conditions, planted
from thetabulk.cli.app import main

_TRACER_SETTLES_S = 0.05  # from being seen as the tracer to seeing every call
_ARROW_IS_HERE = pyarrow.parquet.__name__


@dataclass(frozen=True, slots=True)
class Order:
    """A command line and its surroundings. `conditions` and `bugs` are applied to the process before it runs."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    out: Path
    err: Path
    conditions: tuple[str, ...] = ()
    bugs: tuple[str, ...] = ()
    traced: bool = False


def run(order: Order) -> None:
    """Never returns: ends the process with the exit code of the command."""
    os.environ.clear()
    os.environ.update(order.env)
    for path, number in ((order.out, 1), (order.err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), number)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    for name in order.conditions:
        conditions.apply(name)
    for name in order.bugs:
        planted.plant(name)
    while order.traced and not _has_tracer():
        time.sleep(0.001)
    time.sleep(_TRACER_SETTLES_S if order.traced else 0)
    code = main(order.argv)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _has_tracer() -> bool:
    status = Path("/proc/self/status").read_text()
    return "TracerPid:\t0\n" not in status
